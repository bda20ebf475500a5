import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { pause } from '../harness/load.ts'
import { startNode, stopAll } from '../harness/nodes.ts'
import { hang, Receiver } from '../harness/receiver.ts'
import { lookAtOutput } from '../leaks/watch.ts'

const COMMAND = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
const PACKAGE = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'))
const env = { POSTHORN_DATA_DIR: folder, POSTHORN_PORT: '0' }
const started = new Set<ChildProcess>()

afterEach(async () => {
  await stopAll()
  for (const child of started) child.kill('SIGKILL')
  started.clear()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function posthorn(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env }, cwd: folder })
  started.add(child)
  lookAtOutput(child, `posthorn ${args.join(' ')}`)
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  started.delete(child)
  return { code, out, err }
}

describe('the command line', () => {
  test('tells its version and its commands', async () => {
    expect(await posthorn('--version')).toMatchObject({ code: 0, out: `${PACKAGE.version}\n` })
    const { code, out } = await posthorn('--help')
    expect(code).toBe(0)
    for (const command of ['serve', 'migrate', 'import', 'target']) expect(out).toContain(command)
  })

  test('every setting is a flag with its variable and default', async () => {
    const { out } = await posthorn('serve', '--help')
    expect(out).toContain('--database-url')
    expect(out).toContain('POSTHORN_PORT')
    expect(out).toContain('default 3042')
  })

  test.each([
    [['no-such-command'], 'no-such-command'],
    [['serve', '--prot', '1'], '--port'],
    [['serve', '--port', 'many'], '--port must be an integer from 0 to 65535'],
    [['target', '--delay', '2'], '250ms'],
  ])('asked wrongly (%j) it ends with 2 and says what is wrong', async (args, reason) => {
    const { code, err } = await posthorn(...args)
    expect(err).toContain(reason)
    expect(err).not.toMatch(/\n\s+at /)
    expect(code).toBe(2)
  })

  test('migrate prepares the database, and finds nothing to do the second time', async () => {
    const first = await posthorn('migrate')
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining('up to date') })
    expect(first.out).toContain('0001_first')
    const second = await posthorn('migrate')
    expect(second).toMatchObject({ code: 0, err: expect.stringContaining('up to date') })
    expect(second.out).not.toContain('0001_first')
  })

  test('an address that others can reach is refused without a secret', async () => {
    const { code, err } = await posthorn('serve', '--host', '0.0.0.0')
    expect(err).toContain('secret')
    expect(code).toBeGreaterThan(0)
  })
})

describe('posthorn serve', () => {
  test('says where it listens and where the data is; SIGTERM ends it with 0', async () => {
    const node = await startNode(env)
    expect(node.log).toContain(`posthorn listens on ${node.url}`)
    expect(node.log).toContain(`posthorn keeps its data in ${folder}`)
    expect(await node.stop()).toEqual({ code: 0, signal: null })
  })

  test('SIGTERM lets an attempt finish, and a second signal ends it at once [pg-hooks: delivery.stop]', async () => {
    const receiver = await Receiver.start()
    const node = await startNode(env)
    const queue = await node.api.createQueue({ callbackUrl: receiver.on('/hang', hang), timeoutMs: 20_000 })
    await node.api.put(queue.id, 'x')
    await receiver.waitForArrivals(1)
    const stopped = node.stop()
    await pause(1000)
    expect(node.alive, 'it waits for the attempt').toBe(true)
    node.signal('SIGTERM')
    expect(await stopped).toEqual({ code: 143, signal: null })
    await receiver.stop()
  })

  test('a second node on the same folder, and a port that is taken, are said in one sentence', async () => {
    const node = await startNode(env)
    const { port } = new URL(node.url)
    const second = await posthorn('serve')
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining('in use by process') })
    const elsewhere = join(folder, 'elsewhere')
    const taken = await posthorn('serve', '--port', port, '--data-dir', elsewhere)
    expect(taken).toMatchObject({ code: 1, err: expect.stringContaining(`port ${port} is taken`) })
    await node.stop()
  })
})
