import Mustache from 'mustache'

/** Nested sections over long lists could keep a node busy for hours: no email needs so many. */
const MOST_STEPS = 100_000
const MOST_CHARACTERS = 2_000_000

export type Fields = Readonly<Record<string, unknown>>

/** A template that cannot be read, or does too much; the message is a sentence for its author. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

/** What a text says with these fields in it. `html`: they are escaped. @throws TemplateError */
export function render(text: string, fields: Fields, { html }: { readonly html: boolean }): string {
  const context = new BoundedContext(bare(fields), undefined, { left: MOST_STEPS })
  try {
    const rendered = writer.render(text, context, undefined, html ? undefined : { escape: String })
    if (rendered.length > MOST_CHARACTERS) throw new TemplateError(`it makes more than ${MOST_CHARACTERS} characters`)
    return rendered
  } catch (error) {
    throw error instanceof TemplateError ? error : new TemplateError((error as Error).message)
  }
}

/** What is wrong with a template, or null. */
export function wrongTemplate(text: string): string | null {
  try {
    writer.parse(text)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** Its own cache is never emptied, and texts of emails are many. */
const writer = Object.assign(new Mustache.Writer(), { templateCache: undefined })

interface Budget {
  left: number
}

/** Of texts and lists the library would go on into what the language has for them. */
const LANGUAGE = /(^|\.)(constructor|prototype|__proto__)(\.|$)/

class BoundedContext extends Mustache.Context {
  readonly #budget: Budget

  constructor(view: unknown, parent: BoundedContext | undefined, budget: Budget) {
    super(view, parent)
    this.#budget = budget
  }

  override push(view: unknown): Mustache.Context {
    this.#spend()
    return new BoundedContext(view, this, this.#budget)
  }

  override lookup(name: string): unknown {
    this.#spend()
    return LANGUAGE.test(name) ? undefined : super.lookup(name)
  }

  #spend(): void {
    this.#budget.left -= 1
    if (this.#budget.left < 0) throw new TemplateError(`it takes more than ${MOST_STEPS} steps`)
  }
}

/** The same values without prototypes: a template finds what was given, and nothing of the language behind it. */
function bare(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.setPrototypeOf(value.map(bare), null)
  const entries = Object.entries(value).map(([name, item]) => [name, bare(item)])
  return Object.setPrototypeOf(Object.fromEntries(entries), null)
}
