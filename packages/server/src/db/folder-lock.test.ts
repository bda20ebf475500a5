import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'

describe('the lock of a folder', () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'posthorn-lock-'))
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  test.each([
    ['a short path', () => home],
    ['a folder that is not there yet', () => join(home, 'new', 'one')],
    ['a path longer than a socket may have', () => join(home, 'x'.repeat(120), 'y'.repeat(120))],
  ])('is held by one at a time: %s', async (_, folder) => {
    const first = await lockFolder(folder())
    await expect(lockFolder(folder())).rejects.toThrow(`is in use by process ${process.pid}`)
    first.release()
    const second = await lockFolder(folder())
    second.release()
    expect(readdirSync(folder())).toEqual([])
  })

  test('is won by exactly one of many, even over one left behind', async () => {
    for (let round = 0; round < 10; round++) {
      leaveBehind(join(home, '.lock'))
      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(home)))
      const won = tries.filter(result => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      for (const { value } of won) value.release()
    }
  })

  test('is not held through another name of the same folder', async () => {
    const lock = await lockFolder(join(home, 'a'))
    await expect(lockFolder(join(home, '.', 'a', '..', 'a'))).rejects.toThrow('is in use')
    lock.release()
  })

  test('says what is wrong with a folder that cannot be one', async () => {
    writeFileSync(join(home, 'file'), '')
    await expect(lockFolder(join(home, 'file'))).rejects.toThrow(/EEXIST|ENOTDIR/)
  })

  test('leaves nothing in the folder for temporary files', async () => {
    const long = join(home, 'z'.repeat(150))
    mkdirSync(long)
    const lock = await lockFolder(long)
    expect(existsSync(join(long, '.lock'))).toBe(true)
    lock.release()
  })
})

/** A socket whose process was killed: the file is there, nobody listens. */
function leaveBehind(path: string): void {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', code])
  expect(existsSync(path)).toBe(true)
}
