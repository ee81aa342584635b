// Owns the list of what may run in a worker thread. Inputs and outputs are plain data that can be cloned. A task's code
// is loaded when it is first asked for: a thread that packs archives needs nothing of the others.

/** How each task is loaded, by name. */
export const tasks = {
  indexPack: async () => (await import('./git/index-pack-file.ts')).indexPackFile,
  findChartVersion: async () => (await import('./charts/index-file.ts')).findVersion,
  packageChart: async () => (await import('./charts/package-file.ts')).packageChartFile,
  packFiles: async () => (await import('./pack-files.ts')).packFiles,
  packLayer: async () => (await import('./pack-files.ts')).packLayer,
  readChartArchive: async () => (await import('./charts/package-file.ts')).readChartArchive,
  readIndexTable: async () => (await import('./charts/index-file.ts')).readIndexTable,
  writeIndexFile: async () => (await import('./charts/index-file.ts')).writeIndexFile,
  renderChart: async () => (await import('./render/chart.ts')).renderChart,
  renderDeepTemplate: async () => (await import('./render/template.ts')).renderDeepTemplate,
  renderKustomization: async () => (await import('./render/kustomization.ts')).renderKustomization,
  packArchive: async () => (await import('./pack-archive.ts')).packArchive,
  repack: async () => (await import('./git/repack.ts')).repackStore,
} as const;

type Task<Name extends TaskName> = Awaited<ReturnType<(typeof tasks)[Name]>>;

/** Name of a task. */
export type TaskName = keyof typeof tasks;
/** What a task takes. */
export type TaskInput<Name extends TaskName> = Parameters<Task<Name>>[0];
/** What a task gives. */
export type TaskOutput<Name extends TaskName> = Awaited<ReturnType<Task<Name>>>;
