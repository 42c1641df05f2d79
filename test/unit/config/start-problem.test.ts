// A start that fails names the setting and what to do, seen on the program itself.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startProblem } from '../../../src/config/start-problem.ts';
import { freePort } from '../../support/app.ts';

const key = Buffer.alloc(32, 1).toString('base64');
const named = { databaseUrl: 'postgres://ada:canary@db.example/login', host: '127.0.0.1', port: 80 };
const fault = (code: string, syscall?: string) => Object.assign(new Error(`raw ${code}`), { code, syscall });

async function complaintOf(script: string[], databaseUrl: string) {
  const child = spawn(process.execPath, script, {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, ENCRYPTION_KEYS: key },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 30_000,
  });
  return text(child.stderr);
}

describe('a start that fails', () => {
  it.each([[['src/main.ts']], [['src/cli.ts', 'list-products']]])(
    '%s: a database that is not there',
    async (script) => {
      const port = await freePort();
      const complaint = await complaintOf(script, `postgres://ada:canary@127.0.0.1:${port}/login`);
      expect(complaint).toContain(`The database at 127.0.0.1:${port} cannot be used: nothing listens there.`);
      expect(complaint).toContain('DATABASE_URL');
      expect(complaint).not.toContain('canary');
    },
  );

  it('a port that is taken', async () => {
    const other = createServer();
    const taken = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        const port = typeof address === 'object' && address ? address.port : 0;
        createServer().once('error', resolve).once('listening', reject).listen(port, '127.0.0.1');
      });
    });
    other.close();
    expect(startProblem(taken, named)).toContain('(PORT)');
  });

  it.each([
    [fault('EACCES', 'listen'), 'PORT'],
    [fault('EADDRNOTAVAIL', 'listen'), 'HOST'],
    [fault('ENOTFOUND', 'getaddrinfo'), 'DATABASE_URL'],
    [fault('28P01'), 'The database at db.example:5432 cannot be used: PostgreSQL refuses the password.'],
    [fault('3D000'), 'createdb'],
  ])('%s', (error, words) => {
    expect(startProblem(error, named)).toContain(words);
    expect(startProblem(error, named)).not.toMatch(/raw|canary/);
  });

  it('what nobody foresaw is told as it is, and what the embedded database says, too', () => {
    expect(startProblem(fault('EXDEV'), named)).toBe('raw EXDEV');
    expect(startProblem(fault('ECONNREFUSED'), { ...named, databaseUrl: undefined })).toBe('raw ECONNREFUSED');
  });
});
