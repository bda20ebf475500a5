/** The callers of the role matrix: everyone who may be told apart, and what each may do. */
import {
  type Authorization,
  type AuthorizationRule,
  entities,
  type Resource,
  resources,
  rights,
  type Scope,
} from '@posthorn/contract'
import { secretWord } from '../leaks/marked.ts'

export const ADMIN_SECRET = secretWord()
const secret = { 'x-platformatic-admin-secret': ADMIN_SECRET }

export interface Caller {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  readonly may: ReadonlySet<Scope>
}

const scopes: readonly Scope[] = entities.flatMap(entity => rights.map(right => `${entity}:${right}` as const))

/** One role for every single right, and for all rights of one kind, so that each is tested without the others. */
const roles: ReadonlyMap<string, readonly Scope[]> = new Map([
  ...scopes.map(scope => [`only-${scope}`, [scope]] as const),
  ...scopes.map(scope => [`all-but-${scope}`, scopes.filter(other => other !== scope)] as const),
  ...rights.map(right => [`every-${right}`, scopes.filter(scope => scope.endsWith(right))] as const),
  ['everything', scopes],
  ['nothing', []],
  ['anonymous', ['queue:find']],
])

const rules: AuthorizationRule[] = [...roles].flatMap(([role, may]) =>
  entities.map(entity => ({
    role,
    entity,
    ...Object.fromEntries(rights.map(right => [right, may.includes(`${entity}:${right}`)])),
  })),
)

export const authorization: Authorization = { adminSecret: ADMIN_SECRET, rules }

/** The admin's alone, and what only keys are given besides. */
const others: readonly Scope[] = Object.values<Resource>(resources)
  .filter(({ grants }) => !grants.rules)
  .flatMap(({ name }) => rights.map(right => `${name}:${right}` as const))

const caller = (name: string, headers: Caller['headers'], may: readonly Scope[]): Caller => ({
  name,
  headers,
  may: new Set(may),
})

export const callers: readonly Caller[] = [
  caller('the admin by its header', secret, [...scopes, ...others]),
  caller('the admin by a bearer', { authorization: `Bearer ${ADMIN_SECRET}` }, [...scopes, ...others]),
  ...[...roles].map(([role, may]) => caller(`the role ${role}`, { ...secret, 'x-platformatic-role': role }, may)),
  caller('a role that no rule knows', { ...secret, 'x-platformatic-role': 'stranger' }, []),
  caller('nobody', {}, ['queue:find']),
  caller('nobody who claims a role', { 'x-platformatic-role': 'everything' }, ['queue:find']),
  caller('nobody with a wrong secret', { 'x-platformatic-admin-secret': 'wrong' }, []),
  caller('nobody with a wrong token', { authorization: 'Bearer wrong' }, []),
]

/** One thing that can be done at one edge of the server. */
export interface Act {
  readonly name: string
  /** All of these rights are needed. */
  readonly needs: readonly Scope[]
  /** Does it, and says whether it was let. Throws where the answer is neither done nor the one refusal there is. */
  attempt(headers: Caller['headers']): Promise<'done' | 'refused'>
}

export const expected = ({ needs }: Act, { may }: Caller): 'done' | 'refused' =>
  needs.every(scope => may.has(scope)) ? 'done' : 'refused'
