/** Text without line breaks and other control characters, so that it cannot begin a header or a line of its own (AUT-16). */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
