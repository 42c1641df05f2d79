// The API as an OpenAPI 3.1 document, made of the declarations that serve it, so that it cannot lag behind.
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';

export const base = '/api/v1';

const descriptions: Record<number, string> = {
  200: 'Done',
  201: 'Made',
  202: 'Taken',
  204: 'Done',
  304: 'Not changed',
  401: 'The key does not open this',
  403: 'Not allowed',
  404: 'There is no such thing',
  422: 'Not valid; `fields` says where',
};

const problemSchema = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence for people' },
    code: { type: 'string', description: 'Stable, for programs' },
    fields: { type: 'object', additionalProperties: { type: 'string' } },
    request_id: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'fields', 'request_id'],
};

const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

export function openApi(endpoints: Endpoint[], issuer: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Unified Login', version: '1.0.0', description: 'What modules call. See docs/module-protocol.md.' },
    servers: [{ url: `${issuer}${base}` }],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        instance: { type: 'http', scheme: 'bearer', description: 'The machine credential of the instance' },
        ceremony: {
          type: 'http',
          scheme: 'bearer',
          description: 'The access token of a login with the scope module.connect',
        },
      },
    },
  };
}

function operation({ summary, auth, params, query, body, response, problems }: Endpoint): object {
  const refusals = { ...(auth === 'anybody' ? {} : { 401: '' }), ...(params ? { 404: '' } : {}), ...problems };
  const checked = body || query ? { ...refusals, 422: '' } : refusals;
  return {
    summary,
    ...(auth === 'anybody' ? { security: [] } : { security: [{ [auth]: [] }] }),
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    ...(body ? { requestBody: { required: true, content: json(body, 'input') } } : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(response).map(([status, schema]) => [
          status,
          { description: descriptions[Number(status)] ?? '', ...(schema ? { content: json(schema, 'output') } : {}) },
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(checked).map(([status, words]) => [
          status,
          { description: words || (descriptions[Number(status)] ?? ''), content: problem },
        ]),
      ),
    },
  };
}

const json = (schema: z.ZodType, io: 'input' | 'output') => ({
  'application/json': { schema: jsonSchema(schema, io) },
});

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output') => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

function parametersOf(schema: z.ZodType | null, place: 'path' | 'query'): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input');
  return Object.entries(properties).map(([name, type]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: type,
  }));
}
