// The production entry; see start.ts. The cache must be on before anything else is loaded, hence the second import.
import './compile-cache.js';

await import('./start.ts');
