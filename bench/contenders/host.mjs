/** Runs in a contender's own process: loads its module and does what the bench asks, one call after the other. */
const [, , module] = process.argv
const { start } = await import(`./${module}`)
let session

async function perform({ method, args }) {
  if (method === 'start') {
    session = await start(...args)
    return { methods: Object.keys(session), pids: session.pids?.() ?? [process.pid] }
  }
  return session[method](...args)
}

process.on('message', async ({ id, ...call }) => {
  try {
    process.send({ id, value: (await perform(call)) ?? null })
  } catch (error) {
    process.send({ id, error: error?.stack ?? String(error) })
  }
})
// Whatever became of the bench, nothing of it stays behind.
process.on('disconnect', () => process.exit())
