import type { HandledName, Input, Output } from '@posthorn/contract'
import type { Caller } from './caller.ts'
import type { Keys } from './keys.ts'
import type { Orgs } from './orgs.ts'

type Of<Plural extends string> = {
  readonly [Name in Extract<HandledName, `${Plural}.${string}`>]: (
    caller: Caller,
    input: Input<Name>,
  ) => Promise<Output<Name>>
}

/** This room's operations by their names in the contract; one that is missing does not compile. */
export function tenantOperations({ orgs, keys }: { readonly orgs: Orgs; readonly keys: Keys }): Of<'orgs' | 'keys'> {
  return {
    'orgs.list': orgs.list,
    'orgs.get': orgs.get,
    'orgs.create': orgs.create,
    'orgs.update': orgs.update,
    'orgs.delete': orgs.delete,
    'orgs.previewDelete': orgs.previewDelete,
    'keys.list': keys.list,
    'keys.get': keys.get,
    'keys.create': keys.create,
    'keys.delete': keys.delete,
  }
}
