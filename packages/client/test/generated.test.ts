import { readFileSync } from 'node:fs'
import * as contract from '@posthorn/contract'
import { expect, test } from 'vitest'
import { renderClient } from '../../../scripts/generate-client.mjs'

test('the generated files are what the generator would write now', () => {
  for (const [name, text] of Object.entries<string>(renderClient(contract))) {
    const committed = readFileSync(new URL(`../src/generated/${name}`, import.meta.url), 'utf8')
    expect(committed, `${name} is out of date: run "node scripts/generate-client.mjs"`).toBe(text)
  }
})
