/** Preloaded into every node that a story starts: the node dies with the story, however the story dies. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
/** What it keeps in memory when all that is over is thrown away. */
process.on('message', () => {
  globalThis.gc()
  globalThis.gc()
  process.send(process.memoryUsage().heapUsed)
})
process.channel?.unref()
