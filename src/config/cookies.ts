// Names of the cookies that the engine sets and our pages read. Ours alone are named in web/context.ts.

/** WEB-01: __Host- where a cookie belongs to the whole origin, __Secure- where it has a path of its own. */
export function cookieNames(isSecure: boolean) {
  return {
    session: isSecure ? '__Host-ul_session' : 'ul_session',
    interaction: isSecure ? '__Secure-ul_interaction' : 'ul_interaction',
    resume: isSecure ? '__Secure-ul_resume' : 'ul_resume',
  };
}
