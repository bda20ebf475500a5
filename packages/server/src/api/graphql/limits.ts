/**
 * What a query may cost, decided before anything runs: how deep it is, how many names it gives, and how many rows and
 * lists it may come to if every list is as full as it may be.
 */
import { DEFAULT_LIMIT, MAX_LIMIT, Problem } from '@posthorn/contract'
import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLNamedType,
  getNamedType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'

export const MAX_DEPTH = 10
export const MAX_ALIASES = 100
export const MAX_COST = 20_000
/** Of the text of a query: a thousand messages as literals have some thirty thousand. */
export const MAX_TOKENS = 100_000

type Variables = Readonly<Record<string, unknown>>

/** A validation rule. Without the variables' values, a limit that is a variable counts as the highest. */
export function limitRule(variables: Variables | null | undefined) {
  return (context: ValidationContext): ASTVisitor => {
    let aliases = 0
    const measure = new Measure(context, variables ?? {})
    const refuse = (what: string, limit: number, found: number): void =>
      context.reportError(tooLarge(what, limit, found))
    return {
      Field(node) {
        if (node.alias) aliases += 1
      },
      OperationDefinition(node) {
        const { depth, cost } = measure.ofOperation(node)
        if (depth > MAX_DEPTH) refuse('The depth of a query', MAX_DEPTH, depth)
        if (cost > MAX_COST) refuse('The cost of a query (its lists, and their rows at most)', MAX_COST, cost)
      },
      Document: {
        leave() {
          if (aliases > MAX_ALIASES) refuse('The number of aliases', MAX_ALIASES, aliases)
        },
      },
    }
  }
}

export function tooLarge(what: string, limit: number, found: number): GraphQLError {
  const { message, code, details } = new Problem('query_too_large', { what, limit, found })
  return new GraphQLError(message, { extensions: { code, details } })
}

interface Size {
  readonly depth: number
  readonly cost: number
}
const NOTHING: Size = { depth: 0, cost: 0 }

class Measure {
  readonly #context: ValidationContext
  readonly #variables: Variables
  /** Fragments by name; one that is being measured is nothing, so that a circle (refused by another rule) ends. */
  readonly #fragments = new Map<string, Size>()

  constructor(context: ValidationContext, variables: Variables) {
    this.#context = context
    this.#variables = variables
  }

  ofOperation(node: OperationDefinitionNode): Size {
    return this.#ofSelection(node.selectionSet, this.#context.getSchema().getRootType(node.operation))
  }

  #ofSelection(set: SelectionSetNode, type: GraphQLNamedType | null | undefined): Size {
    return set.selections.reduce((sum: Size, node) => {
      const size =
        node.kind === Kind.FIELD
          ? this.#ofField(node, type)
          : node.kind === Kind.FRAGMENT_SPREAD
            ? this.#ofFragment(this.#context.getFragment(node.name.value))
            : this.#ofSelection(node.selectionSet, type)
      return { depth: Math.max(sum.depth, size.depth), cost: sum.cost + size.cost }
    }, NOTHING)
  }

  #ofFragment(fragment: FragmentDefinitionNode | null | undefined): Size {
    if (!fragment) return NOTHING
    const name = fragment.name.value
    const known = this.#fragments.get(name)
    if (known) return known
    this.#fragments.set(name, NOTHING)
    const type = this.#context.getSchema().getType(fragment.typeCondition.name.value)
    const size = this.#ofSelection(fragment.selectionSet, type)
    this.#fragments.set(name, size)
    return size
  }

  /** Introspection costs nothing and is as deep as it needs to be; graphql bounds it by a rule of its own. */
  #ofField(node: FieldNode, parent: GraphQLNamedType | null | undefined): Size {
    const field = isObjectType(parent) ? parent.getFields()[node.name.value] : undefined
    if (!field || !node.selectionSet) return { depth: field ? 1 : 0, cost: 0 }
    const below = this.#ofSelection(node.selectionSet, getNamedType(field.type))
    const rows = isListType(field.type)
      ? this.#limitOf(
          node,
          field.args.some(({ name }) => name === 'limit'),
        )
      : 1
    return { depth: below.depth + 1, cost: 1 + rows * (1 + below.cost) }
  }

  #limitOf(node: FieldNode, pages: boolean): number {
    if (!pages) return MAX_LIMIT
    const value = node.arguments?.find(({ name }) => name.value === 'limit')?.value
    if (!value) return DEFAULT_LIMIT
    const given =
      value.kind === Kind.VARIABLE ? this.#variables[value.name.value] : 'value' in value ? value.value : null
    const limit = given === null ? DEFAULT_LIMIT : Number(given)
    return Number.isInteger(limit) && limit >= 0 ? Math.min(limit, MAX_LIMIT) : MAX_LIMIT
  }
}
