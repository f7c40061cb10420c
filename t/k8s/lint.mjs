// lint.mjs NPM <OBJECTS: what Monokle's own linters (practices, pod-security-standards, resource-links) say of
// a JSON list of Kubernetes objects, with every rule on. One line a finding: RULE KIND/NAME PATH, list elements
// by their names. NPM is what t/k8s/fetch prints. `--rules` instead of objects lists the rules.
// Monokle's other plugins fetch their schemas and policies from the net, and are not used.
import { readFileSync } from 'node:fs';

const { createDefaultMonokleValidator, processRefs, ResourceParser } = await import(
	`${process.argv[2]}/node_modules/@monokle/validation/lib/node.js`);
const plugins = Object.fromEntries(
	['practices', 'pod-security-standards', 'resource-links'].map((name) => [name, true]));
const linter = createDefaultMonokleValidator();
await linter.preload({ plugins });
if (linter.getFailedPlugins().length > 0)
	throw new Error(`not loaded: ${linter.getFailedPlugins()}`);
const rules = Object.entries(linter.rules).flatMap(([plugin, list]) => list.map((rule) => `${plugin}/${rule.name}`));
if (process.argv[3] === '--rules') {
	console.log(rules.join('\n'));
	process.exit();
}
await linter.preload({ plugins, rules: Object.fromEntries(rules.map((rule) => [rule, true])) });

const objects = JSON.parse(readFileSync(0, 'utf8'));
const resources = objects.map((content, i) => ({
	id: String(i),
	fileId: `${i}.yaml`,
	filePath: `${i}.yaml`,
	fileOffset: 0,
	name: content.metadata.name,
	namespace: content.metadata.namespace,
	apiVersion: content.apiVersion,
	kind: content.kind,
	content,
	text: JSON.stringify(content, null, 1),	// which is YAML, too
}));

// a.containers.0.b as a.containers[NAME].b
function named(object, path) {
	let value = object;
	return path.split('.').reduce((text, step) => {
		const list = Array.isArray(value);
		value = value?.[step];
		if (list)
			return `${text}[${value?.name ?? value?.mountPath ?? step}]`;
		return text ? `${text}.${step}` : step;
	}, '');
}

processRefs(resources, new ResourceParser());	// what resource-links judges
const lines = [];
for (const run of (await linter.validate({ resources })).runs) {
	for (const { ruleId, locations, message } of run.results) {
		const logical = locations.flatMap((location) => location.logicalLocations ?? []);
		const element = logical.find((l) => l.kind === 'element');
		const whole = logical.find((l) => l.kind === 'resource');
		const object = objects[parseInt(/@(\d+)\.yaml$/.exec(whole?.fullyQualifiedName ?? '')?.[1], 10)];
		if (!object)
			throw new Error(`no place: ${JSON.stringify(locations)}`);
		lines.push(`${ruleId} ${object.kind}/${object.metadata.name} ` +
			(element ? named(object, element.fullyQualifiedName) : message.text));
	}
}
console.log(lines.sort().join('\n'));
