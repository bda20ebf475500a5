#!/usr/bin/env node
import { existsSync } from 'node:fs'

const compiled = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(compiled)) {
  console.error('posthorn: this copy has not been built yet; run "npm run build" at its top first.')
  process.exit(1)
}
const { main } = await import(compiled.href)
await main(process.argv)
