import { createServer, type Socket } from 'node:net';

/** A mail server that takes no password; what it says comes back in errors. */
export async function startStubbornSmtp(): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 mail.example\r\n');
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\r\n').filter(Boolean)) {
        if (/^EHLO/i.test(line)) socket.write('250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n');
        else if (/^AUTH/i.test(line)) socket.write(`535 5.7.8 not accepted\r\n`);
        else socket.write('221 bye\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export interface TestMail {
  from: string;
  to: string;
  /** Headers and body as they went over the wire. */
  source: string;
}

export interface TestSmtp {
  port: number;
  url: string;
  /** Mails that were taken. */
  mails: TestMail[];
  /** What the server says instead of taking it, for the next mails to an address that holds this text. */
  answer(part: string, line: string, at?: 'MAIL FROM' | 'RCPT TO' | 'DATA'): void;
  takeAll(): void;
  stop(): Promise<void>;
}

/** A mail server that takes what it is given, unless told otherwise. */
export async function startSmtp(port = 0): Promise<TestSmtp> {
  const mails: TestMail[] = [];
  const sockets = new Set<Socket>();
  let refusals: { part: string; line: string; at: string }[] = [];
  const refusal = (at: string, address: string) =>
    refusals.find((one) => one.at === at && address.includes(one.part))?.line;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let mail: TestMail = { from: '', to: '', source: '' };
    let isData = false;
    let rest = '';
    const say = (line: string) => socket.write(`${line}\r\n`);
    const line = (text: string) => {
      if (isData) {
        if (text !== '.') mail.source += `${text}\r\n`;
        else {
          isData = false;
          const line = refusal('DATA', mail.to);
          if (!line) mails.push(mail);
          say(line ?? '250 2.0.0 Ok: queued as TEST1');
        }
      } else if (/^(EHLO|HELO)/i.test(text)) say('250 mail.example');
      else if (/^MAIL FROM/i.test(text)) {
        mail = { from: /<(.*?)>/.exec(text)?.[1] ?? '', to: '', source: '' };
        say(refusal('MAIL FROM', mail.from) ?? '250 2.1.0 Ok');
      } else if (/^RCPT TO/i.test(text)) {
        mail.to = /<(.*?)>/.exec(text)?.[1] ?? '';
        say(refusal('RCPT TO', mail.to) ?? '250 2.1.5 Ok');
      } else if (/^DATA/i.test(text)) {
        isData = true;
        say('354 Go on');
      } else say(/^QUIT/i.test(text) ? '221 bye' : '250 Ok');
    };
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop() ?? '';
      for (const one of lines) line(one);
    });
    say('220 mail.example');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : 0;
  return {
    port: bound,
    url: `smtp://127.0.0.1:${bound}`,
    mails,
    answer: (part, line, at = 'RCPT TO') => void refusals.unshift({ part, line, at }),
    takeAll() {
      refusals = [];
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
