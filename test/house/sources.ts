/** The project's own files as the house rules see them: imports, strings and functions, read by TypeScript's parser. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PLACES = ['packages', 'scripts', 'test', 'examples', '.ci']
const SKIPPED = /(^|\/)(node_modules|dist|generated|data|\.posthorn)(\/|$)/

export interface Source {
  /** From the top of the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface FoundImport {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly line: number
}

/** Every file of ours with one of these endings. */
export function findSources(...endings: string[]): Source[] {
  return PLACES.flatMap(listFiles)
    .filter(path => endings.some(ending => path.endsWith(ending)))
    .map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

function listFiles(place: string): string[] {
  const entries = readdirSync(join(ROOT, place), { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter(path => !SKIPPED.test(path))
    .sort()
}

/** Tests and suites may reach into any room, and are measured by other rules. */
export function isTest(path: string): boolean {
  return /\.(test|suite)\.ts$/.test(path) || /(^|\/)test\//.test(path)
}

/** Every `import`, `export … from` and `import()` of a file. */
export function findImports(source: Source): FoundImport[] {
  const found: FoundImport[] = []
  visit(source, (node, line) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const specifier = node.moduleSpecifier
      if (specifier && ts.isStringLiteral(specifier)) {
        found.push({ specifier: specifier.text, typeOnly: isTypeOnly(node), line })
      }
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const specifier = node.arguments[0]
      if (specifier && ts.isStringLiteral(specifier)) {
        found.push({ specifier: specifier.text, typeOnly: false, line })
      }
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument
      if (ts.isStringLiteral(literal)) found.push({ specifier: literal.text, typeOnly: true, line })
    }
  })
  return found
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const names = node.exportClause
    return node.isTypeOnly || (!!names && ts.isNamedExports(names) && names.elements.every(name => name.isTypeOnly))
  }
  const clause = node.importClause
  if (!clause) return false
  if (clause.isTypeOnly) return true
  const names = clause.namedBindings
  return !clause.name && !!names && ts.isNamedImports(names) && names.elements.every(name => name.isTypeOnly)
}

/** The text of every string and template of a file. */
export function findStrings(source: Source): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = []
  visit(source, (node, line) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) found.push({ text: node.getText(), line })
  })
  return found
}

/** Every function of a file with its number of lines. Functions inside it count for one line: they are measured themselves. */
export function findFunctions(source: Source): { name: string; lines: number; line: number }[] {
  const found: { name: string; lines: number; line: number }[] = []
  visit(source, (node, line, file) => {
    if (!isFunction(node)) return
    const inner = outermostFunctions(node).reduce((sum, other) => sum + countLines(other, file) - 1, 0)
    const name = node.name && 'text' in node.name ? String(node.name.text) : 'a function'
    found.push({ name, lines: countLines(node, file) - inner, line })
  })
  return found
}

function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

function outermostFunctions(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = []
  ts.forEachChild(node, child => {
    found.push(...(isFunction(child) ? [child] : outermostFunctions(child)))
  })
  return found
}

function countLines(node: ts.Node, file: ts.SourceFile): number {
  const lineAt = (position: number): number => file.getLineAndCharacterOfPosition(position).line
  return lineAt(node.getEnd()) - lineAt(node.getStart()) + 1
}

function visit(source: Source, see: (node: ts.Node, line: number, file: ts.SourceFile) => void): void {
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ES2023, true)
  const walk = (node: ts.Node): void => {
    see(node, file.getLineAndCharacterOfPosition(node.getStart()).line + 1, file)
    ts.forEachChild(node, walk)
  }
  walk(file)
}

/** What a relative import points at, from the top of the repository; other specifiers stay as they are. */
export function resolveImport(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.normalize(posix.join(dirname(from), specifier)) : specifier
}

/** Circles of files that import each other, each once, as the files passed on the way round. */
export function findCircles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const walk = (path: string, way: string[]): void => {
    const start = way.indexOf(path)
    if (start >= 0) circles.push([...way.slice(start), path])
    if (start >= 0 || done.has(path)) return
    for (const next of imports.get(path) ?? []) walk(next, [...way, path])
    done.add(path)
  }
  for (const path of imports.keys()) walk(path, [])
  return circles
}
