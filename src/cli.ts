// The operator's commands; see cli/run.ts. The cache must be on before anything else is loaded, hence the second import.
import './compile-cache.js';

await import('./cli/run.ts');
