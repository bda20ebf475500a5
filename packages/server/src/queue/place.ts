import { Problem } from '@posthorn/contract'

/** What is wrong with one of many, said of its own place: `body/schedule` is `body/crons/3/schedule`. */
export function atPlace(error: unknown, place: string): unknown {
  if (!(error instanceof Problem) || error.code !== 'validation_failed') return error
  const move = (text: unknown): string => String(text).replace(/^body\b/, place)
  const { problem, field, ...details } = error.details
  return new Problem('validation_failed', {
    ...details,
    problem: move(problem),
    ...(field !== undefined && { field: move(field) }),
  })
}
