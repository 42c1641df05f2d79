// From bytes to text: UTF-8, with or without its mark (C17). Whatever else it is gets its name, and what to do about it.
import { type AppError, invalid } from '../../lib/errors.ts';

export const refuseFile = (sentence: string): AppError => invalid(sentence, { file: sentence });

const saveAs = 'In your spreadsheet program, save it as "CSV UTF-8 (comma delimited)" and upload that.';

const beginsWith = (bytes: Uint8Array, ...start: number[]) => start.every((byte, i) => bytes[i] === byte);

/** @throws AppError 422 for what is no text in UTF-8 */
export function textOf(bytes: Uint8Array): string {
  // Never unpacked: neither a workbook nor a bomb gets any further.
  if (beginsWith(bytes, 0x50, 0x4b, 0x03, 0x04)) throw refuseFile(zipped(bytes));
  if (beginsWith(bytes, 0xd0, 0xcf, 0x11, 0xe0)) throw refuseFile(`This is an Excel workbook. ${saveAs}`);
  if (beginsWith(bytes, 0x25, 0x50, 0x44, 0x46)) throw refuseFile('This is a PDF. Upload a CSV file.');
  if (beginsWith(bytes, 0xff, 0xfe) || beginsWith(bytes, 0xfe, 0xff))
    throw refuseFile(`This file is UTF-16. ${saveAs}`);
  if (bytes.includes(0))
    throw refuseFile(`This file is no text in UTF-8; it may be UTF-16, or no text at all. ${saveAs}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuseFile(
      `${lineOfFault(bytes)} holds letters that are no UTF-8; the file may be Windows-1252. Accents would come out wrong. ${saveAs}`,
    );
  }
}

const zipped = (bytes: Uint8Array) =>
  // A workbook is an archive, too, and names its parts in the clear.
  Buffer.from(bytes.subarray(0, 4096)).includes('[Content_Types].xml')
    ? `This is an Excel workbook. ${saveAs}`
    : 'This is a ZIP archive. Unpack it, and upload the CSV file that is inside.';

/** Lines end where they end in each of the encodings that people mistake for UTF-8, so each can be tried alone. */
function lineOfFault(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let line = 1, from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(from, to));
    } catch {
      return `Line ${line}`;
    }
    from = to;
  }
  return 'It';
}
