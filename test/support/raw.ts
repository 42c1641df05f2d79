// Bytes on the wire, for requests that no client library would send.
import { connect } from 'node:net';

/** Sends the text as it is and answers what came back until the server closed the connection, or the time was over. */
export function talk(port: number, text: string | Buffer, patience = 3000): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    const timer = setTimeout(end, patience);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', end);
    // A server that has had enough resets the connection; what it said before counts.
    socket.on('error', end);
  });
}
