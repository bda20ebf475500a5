/** Preloaded into every node that the bench starts: the node goes when the process goes that started it. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.channel?.unref()
