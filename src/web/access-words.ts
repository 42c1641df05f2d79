// What a module asks for and holds, in plain words: on the consent page and in the list of module access alike (OAU-24).

const sentences: Record<string, string> = {
  openid: 'That it is you who logs in',
  profile: 'Your name, username and time zone',
  email: 'Your e-mail address',
  phone: 'Your phone number',
  address: 'Your address',
  offline_access: 'Access while you are not logged in',
  'module.connect': 'That it is connected to your company, this once',
};

const claimSentences: [scope: string, claims: string[], sentence: string][] = [
  ['profile', ['name', 'given_name', 'family_name'], 'Your name'],
  ['profile', ['preferred_username'], 'Your username'],
  ['profile', ['zoneinfo'], 'Your time zone'],
  ['email', ['email', 'email_verified'], 'Your e-mail address'],
  ['phone', ['phone_number', 'phone_number_verified'], 'Your phone number'],
  ['address', ['address'], 'Your address'],
];

/** In the order of the table above, whatever the order of asking. */
export function scopeWords(scopes: string[]): string[] {
  const known = Object.keys(sentences).filter((scope) => scopes.includes(scope));
  const others = scopes.filter((scope) => !(scope in sentences));
  return [...known.map((scope) => sentences[scope] ?? scope), ...others];
}

/** Claims beside those that the scopes open. */
export function claimWords(claims: string[], scopes: string[]): string[] {
  return claimSentences
    .filter(([scope, names]) => !scopes.includes(scope) && names.some((name) => claims.includes(name)))
    .map(([, , sentence]) => sentence);
}
