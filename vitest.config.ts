import { defineConfig } from 'vitest/config'

const STORIES = 'packages/server/test/stories/**/*.test.ts'
/** Stories that measure pauses, or fill what others need. */
const TIMED = ['takeover', 'leader', 'isolation', 'membership', 'order', 'disk-full'].map(
  name => `packages/server/test/stories/${name}.test.ts`,
)

export default defineConfig({
  resolve: {
    conditions: ['source'],
    // Node takes graphql's CommonJS whoever imports it; a bundler would give us its modules, and mercurius the other.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    globalSetup: ['packages/server/test/global-setup.ts'],
    setupFiles: ['packages/server/test/leaks/each-file.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', STORIES],
          // On two cores the default is one, and much of what a unit waits for is a database at work.
          maxWorkers: '100%',
        },
      },
      {
        // Stories start processes of their own, and wait much: three at once, and after everything else.
        extends: true,
        test: { name: 'stories', include: [STORIES], exclude: TIMED, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
      {
        // One after the other, with nothing beside them.
        extends: true,
        test: { name: 'timed stories', include: TIMED, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
})
