/** The documentation holds together: a page that nobody is led to is not read, and one that is not there misleads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const atTop = readdirSync(ROOT).filter(name => name.endsWith('.md'))
const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
const pages = [
  ...atTop,
  ...below.filter(name => name.endsWith('.md')).map(name => `docs/${name.replaceAll('\\', '/')}`),
]

/** The links of a page to files of ours, from the top of the repository, with their anchors. */
function linksOf(page: string): { readonly to: string; readonly anchor: string }[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^```.*?^```/gms, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter(link => !/^[a-z]+:/.test(link))
    .map(link => {
      const [file, anchor = ''] = link.split('#')
      return { to: file ? posix.join(dirname(page), file).replace(/\/$/, '') : page, anchor }
    })
}

/** What a heading is linked to by. */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(join(ROOT, page), 'utf8').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.each(pages)('every link of %s leads somewhere', page => {
  const lost = linksOf(page).filter(({ to, anchor }) => {
    if (!existsSync(join(ROOT, to))) return true
    return anchor !== '' && to.endsWith('.md') && !anchorsOf(to).includes(anchor)
  })
  expect(lost).toEqual([])
})

test('every page of docs is on its first page', () => {
  const listed = linksOf('docs/README.md').map(({ to }) => to)
  expect(pages.filter(page => page.startsWith('docs/') && page !== 'docs/README.md' && !listed.includes(page))).toEqual(
    [],
  )
})
