/** Preloaded into every node that a story starts: the node dies with the story, however the story dies. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.channel?.unref()
