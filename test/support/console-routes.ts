// Every address of the console, from the very table that the server mounts, with things of a company put into it.
import { adminRoutes } from '../../src/web/admin/routes.ts';

export interface Things {
  user: string;
  group: string;
  task: string;
  event: string;
  instance: string;
  exception: string;
  connection: string;
  domain: string;
  attempt: string;
  ssoPlan: string;
}

export interface Place {
  method: 'get' | 'post';
  /** As the server knows it, such as /admin/users/:id. */
  pattern: string;
  address: string;
  /** It names a thing of a company. */
  namesThing: boolean;
}

export function consolePlaces(things: Things): Place[] {
  return adminRoutes.map(({ method, path }) => {
    const own = path.startsWith('/admin/groups') ? things.group : things.user;
    const address = path
      .replace(':task', things.task)
      .replace(':event', things.event)
      .replace(':instance', things.instance)
      .replace(':exception', things.exception)
      .replace(':connection', things.connection)
      .replace(':domain', things.domain)
      .replace(':attempt', things.attempt)
      .replace(/^(\/admin\/sso\/.*):plan/, `$1${things.ssoPlan}`)
      .replace(/^(\/admin\/sso\/(new|metadata)\/):product$/, '$1okta')
      .replace(/:(person|user)\b/, things.user)
      .replace(/:(id|group)\b/, own)
      .replace(':kind', 'invitation')
      .replace(':part', 'html');
    return {
      method,
      pattern: path,
      address,
      namesThing: /:(task|event|instance|connection|domain|person|user|id|group)\b/.test(path),
    };
  });
}
