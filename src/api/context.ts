// What a request to the API carries. Surfaces do not know each other, so this is not the pages' context.
import type { DefaultContext, ParameterizedContext } from 'koa';
import type { Work } from '../work.ts';

export interface ApiState {
  work: Work;
  requestId: string;
  /** Pattern of the route for log and metrics, whose names must not grow with what strangers ask for. */
  route?: string;
}

export type ApiContext = ParameterizedContext<ApiState, DefaultContext>;
