/**
 * Single rows that other rows lead to (a message's queue), read together: what is asked for in one turn of the event
 * loop is one list by id for each resource. Nothing is kept: the next turn reads anew.
 */
import { emptyListQuery, type OperationName } from '@posthorn/contract'
import { type Calls, type Loads, type RequestContext, type Row, readRows } from './calls.ts'

interface Waiting {
  readonly id: unknown
  readonly resolve: (row: Row | null) => void
  readonly reject: (error: unknown) => void
}

export class RowLoads implements Loads {
  readonly #calls: Calls
  readonly #waiting = new Map<OperationName, Waiting[]>()

  constructor(calls: Calls) {
    this.#calls = calls
  }

  load(list: OperationName, id: unknown, context: RequestContext): Promise<Row | null> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(list) ?? []
      if (waiting.length === 0) setImmediate(() => this.#read(list, context))
      this.#waiting.set(list, [...waiting, { id, resolve, reject }])
    })
  }

  #read(list: OperationName, context: RequestContext): void {
    const waiting = this.#waiting.get(list) ?? []
    this.#waiting.delete(list)
    const ids = [...new Set(waiting.map(({ id }) => id))]
    readRows(this.#calls, list, context, emptyListQuery, ids).then(
      rows => {
        for (const { id, resolve } of waiting) resolve(rows.get(id) ?? null)
      },
      error => {
        for (const { reject } of waiting) reject(error)
      },
    )
  }
}
