/** Does what the tutorial says, block by block, and compares what it shows; `…` stands for anything. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { startNode, stopAll } from '../harness/nodes.ts'
import { openEmbedded } from '../harness/places.ts'

const PAGE = readFileSync(new URL('../../../../docs/guides/tutorial.md', import.meta.url), 'utf8')
const COMMAND = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
const blocks = [...PAGE.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
  kind: kind!,
  text: text!,
}))
const PATIENCE_MS = 20_000

let target: Target | null = null
afterEach(async () => {
  await target?.stop()
  await stopAll()
})

/** The receiver of the second terminal. */
class Target {
  output = ''
  readonly #child: ChildProcess

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [COMMAND, 'target', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child.stdout!.on('data', chunk => {
      this.output += chunk
    })
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}

async function run(command: string): Promise<string> {
  const child = spawn('bash', ['-ec', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  expect(code, command).toBe(0)
  return output
}

/** Text in which each line of the page comes after the one before it. */
function pattern(text: string): RegExp {
  const lines = text.trim().split('\n')
  const escaped = lines.map(line => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*'))
  return new RegExp(escaped.join('[\\s\\S]*?\\n'))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

test('the tutorial shows what happens', { timeout: 120_000 }, async () => {
  const place = await openEmbedded()
  const node = await startNode(place.env)
  const port = await freePort()
  const here = (text: string): string =>
    text
      .replaceAll('http://127.0.0.1:3042', node.url)
      .replaceAll('127.0.0.1:3042', new URL(node.url).host)
      .replaceAll('127.0.0.1:3043', `127.0.0.1:${port}`)
  let last = ''
  let seen = 0
  for (const { kind, text } of blocks) {
    if (text.startsWith('npx posthorn target')) {
      await target?.stop()
      target = new Target([...text.trim().split(' ').slice(3), '--port', `${port}`])
      await expect.poll(() => target!.output, { timeout: PATIENCE_MS }).toContain('listens on')
      seen = target.output.length
    } else if (kind === 'sh' && text !== 'npm start\n') {
      last = here(text)
      if (!/-d|-X/.test(last)) continue
      last = await run(last)
    } else if (kind === 'json') {
      const isAnswer = !last.startsWith('curl')
      const shown = JSON.parse(here(text))
      const answer = async (): Promise<unknown> => JSON.parse(isAnswer ? last : await run(last))
      await expect.poll(answer, { timeout: PATIENCE_MS, interval: 100 }).toMatchObject(shown)
    } else if (kind === 'text') {
      const shown = pattern(text)
      await expect.poll(() => target!.output.slice(seen), { timeout: PATIENCE_MS }).toMatch(shown)
      seen = target!.output.length
    }
  }
  expect(blocks.filter(({ kind }) => kind !== 'sh').length).toBeGreaterThan(12)
  await node.stop()
  await place.close()
})
