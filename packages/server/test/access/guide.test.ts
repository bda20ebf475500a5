import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'

const guide = readFileSync(new URL('../../../../docs/guides/access.md', import.meta.url), 'utf8')
const examples = [...guide.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)
const sections = examples.filter(text => text.includes('"authorization"'))

describe('the guide to access', () => {
  test.each(sections)('has settings that a node takes: %s', text => {
    const env = { PLT_ADMIN_SECRET: 'x', POSTHORN_ADMIN_SECRET: 'x' }
    expect(loadConfig({ env, flags: {}, readFile: () => text }).adminSecret).toBe('x')
  })

  test('shows the section of pg-hooks, and one with every part of a rule', () => {
    expect(sections).toHaveLength(2)
    for (const part of ['checks', 'fields', 'defaults', 'jwks', 'namespace']) expect(sections[1]).toContain(`"${part}"`)
  })
})
