/**
 * A process to be killed: opens the embedded database in the folder it is given and stores numbers, one by one and in
 * batches, with maintenance in between. It says `open`, and then each number once it is stored.
 */
import { writeSync } from 'node:fs'
import { openDatabase } from '../src/db/open.ts'
import { silentLog } from '../src/log.ts'

const db = await openDatabase({ dataDir: process.argv[2]! }, silentLog)
await db.exec('CREATE TABLE IF NOT EXISTS public.stored (n bigint PRIMARY KEY, at timestamptz DEFAULT now())')
const [last] = await db.query<{ n: number }>({
  name: 'last',
  text: 'SELECT coalesce(max(n), 0) AS n FROM public.stored',
})
writeSync(1, 'open\n')
const insert = { name: 'insert', text: 'INSERT INTO public.stored (n) SELECT generate_series($1::bigint, $2::bigint)' }
for (let n = last!.n + 1, round = 1; ; round++) {
  const until = n + (round % 3 === 0 ? 50 : 0)
  await db.query(insert, [n, until])
  writeSync(1, `${until}\n`)
  n = until + 1
  if (round % 100 === 0) await db.exec('VACUUM public.stored')
  if (round % 150 === 0) await db.exec('CHECKPOINT')
}
