/**
 * The beginning of what somebody typed, at most `length` UTF-16 units, and never half a character: jsonb refuses half a
 * surrogate pair, and a failure that could not be recorded would not be counted (AUT-06).
 */
export function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}
