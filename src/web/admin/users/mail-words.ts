import type { MailToPerson } from '../../../domain/users/person-queries.ts';
import type { Desk } from '../console.ts';
import { kindWords, stateWords } from '../mail/words.ts';
import type { MailLineOf } from './person-views.ts';

export function mailLine(mail: MailToPerson, desk: Desk): MailLineOf {
  return {
    kind: kindWords[mail.kind],
    recipient: mail.recipient,
    status: stateWords[mail.state],
    error: mail.error ?? '',
    at: desk.moment(mail.sentAt ?? mail.createdAt),
  };
}
