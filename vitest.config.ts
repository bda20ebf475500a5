import { defineConfig } from 'vitest/config'

const STORIES = 'packages/server/test/stories/**/*.test.ts'

export default defineConfig({
  resolve: {
    conditions: ['source'],
    // Node takes graphql's CommonJS whoever imports it; a bundler would give us its modules, and mercurius the other.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    globalSetup: ['packages/server/test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', STORIES],
        },
      },
      {
        // Stories start processes and measure pauses: one after the other, and after everything else.
        extends: true,
        test: { name: 'stories', include: [STORIES], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
