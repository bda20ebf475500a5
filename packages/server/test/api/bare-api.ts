import { NodeChanges } from '../../src/api/changes.ts'
import { type Api, type ApiOptions, createApi } from '../../src/api/server.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'

export type Given = Pick<ApiOptions, 'tenants' | 'handlers'> &
  Partial<Omit<ApiOptions, 'config'>> & { readonly config?: Partial<ApiOptions['config']>; readonly isOpen?: boolean }

/** The API alone: for a free port of the loopback address, well, silent, open and without a secret, unless said otherwise. */
export function bareApi({ config, isOpen = true, ...given }: Given): Api {
  const api = createApi({
    config: {
      host: '127.0.0.1',
      port: 0,
      adminSecret: null,
      authorization: null,
      maxBodyBytes: 1_048_576,
      maxIncomingBytes: 134_217_728,
      ...config,
    },
    version: '1.2.3',
    changes: aloneChanges(),
    health: { check: () => ({ live: true, ready: true, parts: {} }) },
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    log: silentLog,
    ...given,
  })
  return {
    ...api,
    async listen() {
      const address = await api.listen()
      if (isOpen) api.open()
      return address
    },
  }
}

/** What a node without others is told of, and its subscribers hear. */
export const aloneChanges = (): NodeChanges =>
  new NodeChanges({ clock: systemClock, log: silentLog, send: null, nodeId: 'alone' })
