/**
 * Dropping a span of ids: what must outlive it moves to the `_old` partitions first.
 *
 * Survivors are the bodies of live and of kept dead messages, and those dead messages with their attempts. They are
 * copied beside, in peace; then one short transaction, which alone locks the tables, swaps the partitions. What a resend
 * made live meanwhile has a transaction id not before the copy's snapshot, and is copied in that transaction.
 */
const SURVIVING = {
  payload: `SELECT p.* FROM posthorn.payload_0 AS p JOIN (
      SELECT payload_id AS id FROM posthorn.message WHERE payload_id < $hi
      UNION SELECT payload_id FROM posthorn.message_done WHERE outcome = 'x' AND payload_id < $hi
    ) AS kept USING (id)`,
  message_done: `SELECT * FROM posthorn.message_done_0 WHERE outcome = 'x'`,
  attempt: `SELECT a.* FROM posthorn.attempt_0 AS a
    JOIN posthorn.message_done_0 AS d ON d.queue_id = a.queue_id AND d.id = a.message_id AND d.outcome = 'x'`,
}

/** Along message_xid: what became live since the copy began. */
const LATE = `INSERT INTO posthorn.payload_old SELECT p.* FROM posthorn.message AS m
  JOIN posthorn.payload_0 AS p ON p.id = m.payload_id
  WHERE m.xid >= $1::text::xid8 AND m.payload_id < $2::bigint ON CONFLICT DO NOTHING`

export async function measureDrop(client, hi) {
  const results = []
  const timed = async (what, work) => {
    const started = performance.now()
    await work()
    results.push([what, performance.now() - started])
  }
  const before = await client.query('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin')
  let kept = 0
  for (const [table, select] of Object.entries(SURVIVING)) {
    await timed(`copy survivors of \`${table}\``, async () => {
      const text = `CREATE TABLE posthorn.${table}_kept AS ${select.replaceAll('$hi', hi)}`
      kept += (await client.query(text)).rowCount
    })
  }
  await timed(`swap ${kept} survivors in, under lock`, async () => {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '1s'`)
    for (const table of Object.keys(SURVIVING)) {
      await client.query(`ALTER TABLE posthorn.${table} DETACH PARTITION posthorn.${table}_0`)
      await client.query(`ALTER TABLE posthorn.${table} DETACH PARTITION posthorn.${table}_old`)
      await client.query(`INSERT INTO posthorn.${table}_old SELECT * FROM posthorn.${table}_kept`)
      const range = `FROM (MINVALUE) TO (${hi})`
      await client.query(`ALTER TABLE posthorn.${table} ATTACH PARTITION posthorn.${table}_old FOR VALUES ${range}`)
    }
    await client.query(LATE, [before.rows[0].xmin, hi])
    await client.query('COMMIT')
  })
  await timed('drop the three tables', async () => {
    for (const table of Object.keys(SURVIVING)) {
      await client.query(`DROP TABLE posthorn.${table}_0, posthorn.${table}_kept`)
    }
  })
  return results
}
