import { Type } from '@sinclair/typebox'
import { act, list, row, typed } from '../operation.ts'
import { type OrgCreate, type OrgUpdate, org } from '../resources/org.ts'
import { RecordId } from '../schema.ts'

const id = { id: RecordId }
const count = (description: string) => Type.Integer({ description })

/** For the operator alone: neither a rule nor a key gives a right to them. */
export const orgOperations = {
  'orgs.list': list(org, { verb: 'GET', path: '/orgs/', scope: 'org:find', summary: 'Lists orgs.' }),
  'orgs.create': row(org, {
    verb: 'POST',
    path: '/orgs/',
    scope: 'org:save',
    summary: 'Makes an org.',
    errors: ['org_exists'],
    input: org.create,
    _input: typed<OrgCreate>(),
  }),
  'orgs.get': row(org, {
    verb: 'GET',
    path: '/orgs/{id}',
    scope: 'org:find',
    summary: 'Gives an org.',
    params: id,
  }),
  'orgs.update': row(org, {
    verb: 'PUT',
    path: '/orgs/{id}',
    scope: 'org:save',
    summary: 'Changes an org; fields left out keep their value.',
    params: id,
    input: org.update,
    _input: typed<OrgUpdate>(),
  }),
  'orgs.delete': row(org, {
    verb: 'DELETE',
    path: '/orgs/{id}',
    scope: 'org:delete',
    summary:
      'Deletes an org: its keys end and nothing of it can be reached any more at once, its records go in the background.',
    errors: ['org_is_instance'],
    params: id,
  }),
  'orgs.previewDelete': act({
    verb: 'GET',
    path: '/orgs/{id}/deletion',
    scope: 'org:find',
    summary: 'Says what deleting an org would remove, and does nothing.',
    errors: ['org_is_instance', 'list_too_slow'],
    params: id,
    output: Type.Object({
      queues: count('Queues that would go.'),
      crons: count('Crons that would go.'),
      pending: count('Messages that would not be delivered any more.'),
      settled: count('Settled messages that would go, with their attempts.'),
      keys: count('API keys that would end.'),
      services: count('Services that would go, with what they are attached to.'),
    }),
  }),
}
