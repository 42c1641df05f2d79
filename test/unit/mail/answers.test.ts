import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/mail/answers.ts';
import { parseMailbox, senderOf } from '../../../src/mail/transport.ts';

type Case = [command: string, response: string, outcome: 'bounced' | 'failed' | 'deferred'];

/** What servers in the world answer; only what is about the recipient may block the address (A3.9). */
const cases: Case[] = [
  // The recipient is refused for good.
  ['RCPT TO', '550 5.1.1 <x@y.example>: Recipient address rejected: User unknown', 'bounced'],
  [
    'RCPT TO',
    '550-5.1.1 The email account that you tried to reach does not exist. Please try\n550 5.1.1 double-checking',
    'bounced',
  ],
  ['RCPT TO', '550 No such user here', 'bounced'],
  ['RCPT TO', '551 User not local', 'bounced'],
  ['RCPT TO', '553 5.1.3 Bad destination mailbox address syntax', 'bounced'],
  ['RCPT TO', '553 Requested action not taken: mailbox name invalid', 'bounced'],
  ['RCPT TO', '550 5.1.2 Host unknown', 'bounced'],
  ['RCPT TO', '554 5.1.6 The mailbox has moved', 'bounced'],
  ['RCPT TO', '556 5.1.10 Recipient address has null MX', 'bounced'],
  ['RCPT TO', '550 5.2.1 The email account that you tried to reach is disabled', 'bounced'],
  ['DATA', '550 5.1.1 User unknown in virtual mailbox table', 'bounced'],
  // A relay that refuses us, our sender or what we send says nothing about the recipient.
  ['RCPT TO', '550 5.7.1 Unable to relay', 'failed'],
  ['RCPT TO', '554 5.7.1 <x@y.example>: Relay access denied', 'failed'],
  ['RCPT TO', '550 relay not permitted', 'failed'],
  ['RCPT TO', "553 sorry, that domain isn't in my list of allowed rcpthosts", 'failed'],
  ['RCPT TO', '550 5.7.26 Unauthenticated email is not accepted due to DMARC policy', 'failed'],
  ['RCPT TO', '550 Message rejected: blocked by our policy', 'failed'],
  ['RCPT TO', '550 Your IP is listed in a blacklist', 'failed'],
  ['RCPT TO', '554 Transaction failed', 'failed'],
  ['RCPT TO', '550 5.1.8 Sender address rejected: Domain not found', 'failed'],
  ['RCPT TO', '550 5.1.7 Bad sender mailbox address syntax', 'failed'],
  ['RCPT TO', '552 5.2.2 Mailbox full', 'failed'],
  ['RCPT TO', '552 Exceeded storage allocation', 'failed'],
  ['RCPT TO', '550 5.4.1 Recipient address rejected: Access denied', 'failed'],
  ['RCPT TO', '501 5.5.4 Invalid arguments', 'failed'],
  ['MAIL FROM', '550 5.1.1 Sender unknown', 'failed'],
  ['MAIL FROM', '553 Sender address rejected: not owned by user', 'failed'],
  ['MAIL FROM', '550 No such user', 'failed'],
  ['DATA', '550 Message rejected', 'failed'],
  ['DATA', '554 5.6.0 Message content rejected', 'failed'],
  ['DATA', '552 5.3.4 Message size exceeds fixed limit', 'failed'],
  // Later it may go.
  ['RCPT TO', '450 4.2.0 Greylisted, try again in 5 minutes', 'deferred'],
  ['RCPT TO', '452 4.2.2 Mailbox full', 'deferred'],
  ['RCPT TO', '421 4.3.2 Service shutting down', 'deferred'],
  ['DATA', '451 4.3.0 Temporary lookup failure', 'deferred'],
  // The operator's settings: nothing is lost while they are mended.
  ['AUTH PLAIN', '535 5.7.8 Authentication credentials invalid', 'deferred'],
  ['MAIL FROM', '530 5.7.0 Must issue a STARTTLS command first', 'deferred'],
  ['CONN', '554 5.7.1 No service for your address', 'deferred'],
  ['EHLO', '550 Go away', 'deferred'],
];

describe('A3.9 what the answer of a mail server means', () => {
  it.each(cases)('%s: %s -> %s', (command, response, outcome) => {
    const judged = judge({
      message: `refused: ${response}`,
      code: command === 'DATA' ? 'EMESSAGE' : 'EENVELOPE',
      command,
      response,
      responseCode: Number(response.slice(0, 3)),
    });
    expect(judged.outcome).toBe(outcome);
    expect(judged.answer).toBe(response.replace('\n', ' '));
  });

  it.each([
    ['ECONNECTION', 'CONN', 'connect ECONNREFUSED', 'deferred'],
    ['ETIMEDOUT', 'CONN', 'Connection timeout', 'deferred'],
    ['EDNS', 'CONN', 'getaddrinfo ENOTFOUND', 'deferred'],
    ['ECONNECTION', 'DATA', 'Connection closed', 'deferred'],
    ['EENVELOPE', 'API', 'Invalid recipient "x"', 'failed'],
    ['EMESSAGE', 'API', 'Empty message', 'failed'],
  ])('without any answer: %s at %s (%s) -> %s', (code, command, message, outcome) => {
    expect(judge({ code, command, message }).outcome).toBe(outcome);
  });

  it('AUT-16 shows an answer as one line', () => {
    expect(judge({ message: 'x', command: 'DATA', response: '554 a\r\n\u2028b\u0007', responseCode: 554 }).answer).toBe(
      '554 a b',
    );
  });
});

describe('who mails come from', () => {
  it.each([
    ['KaseyaOne <noreply@login.example>', 'KaseyaOne', 'noreply@login.example'],
    ['"Contoso, Ltd" <a@b.example>', 'Contoso, Ltd', 'a@b.example'],
    [' noreply@login.example ', '', 'noreply@login.example'],
  ])('reads %s', (text, name, address) => {
    expect(parseMailbox(text)).toEqual({ name, address });
  });

  it('AUT-16 a name of several lines becomes one', () => {
    const operator = parseMailbox('KaseyaOne <noreply@login.example>');
    expect(senderOf(operator, { senderName: 'Eve\r\nBcc: x', fromAddress: null })).toEqual({
      name: 'Eve Bcc: x',
      address: 'noreply@login.example',
    });
  });
});
