import { list, row, typed } from '../operation.ts'
import { type KeyCreate, key } from '../resources/key.ts'
import { RecordId } from '../schema.ts'

const id = { id: RecordId }

/** Of the org that the caller acts for. */
export const keyOperations = {
  'keys.list': list(key, { verb: 'GET', path: '/keys/', scope: 'key:find', summary: 'Lists API keys.' }),
  'keys.create': row(key, {
    verb: 'POST',
    path: '/keys/',
    scope: 'key:save',
    summary: 'Makes an API key. The answer has it, in `token`, and nobody can see it again.',
    errors: ['scope_unknown', 'key_too_mighty'],
    input: key.create,
    _input: typed<KeyCreate>(),
  }),
  'keys.get': row(key, {
    verb: 'GET',
    path: '/keys/{id}',
    scope: 'key:find',
    summary: 'Gives what is known of an API key.',
    errors: ['key_not_found'],
    params: id,
  }),
  'keys.delete': row(key, {
    verb: 'DELETE',
    path: '/keys/{id}',
    scope: 'key:delete',
    summary: 'Revokes an API key: within a second, no node takes it any more.',
    errors: ['key_not_found'],
    params: id,
  }),
}
