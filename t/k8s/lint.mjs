// lint.mjs NPM <OBJECTS: what Monokle's own linters (practices, pod-security-standards, resource-links) say of
// a JSON list of Kubernetes objects. One line a finding: RULE KIND/NAME WHERE. NPM is what t/k8s/fetch prints.
// Its other plugins fetch their schemas and policies from the net, and are not used.
import { readFileSync } from 'node:fs';

const { createDefaultMonokleValidator } = await import(`${process.argv[2]}/node_modules/@monokle/validation/lib/node.js`);
const objects = JSON.parse(readFileSync(0, 'utf8'));
const plugins = ['practices', 'pod-security-standards', 'resource-links'];

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
	text: JSON.stringify(content, null, 1),	// JSON is YAML
}));
const linter = createDefaultMonokleValidator();
await linter.preload({ plugins: Object.fromEntries(plugins.map((name) => [name, true])) });
if (linter.getFailedPlugins().length > 0)
	throw new Error(`not loaded: ${linter.getFailedPlugins()}`);
for (const run of (await linter.validate({ resources })).runs) {
	const rules = [run.tool.driver, ...(run.tool.extensions ?? [])].flatMap((tool) => tool.rules ?? []);
	const name = Object.fromEntries(rules.map((rule) => [rule.id, rule.name]));
	for (const { ruleId, locations } of run.results) {
		const place = locations.map((l) => l.physicalLocation);
		const file = place.find((p) => p?.artifactLocation?.uri?.endsWith('.yaml'));
		const { region } = file;
		const object = resources[parseInt(file.artifactLocation.uri, 10)];
		const line = region ? object.text.split('\n')[region.startLine - 1] : '';
		console.log([ruleId, name[ruleId], `${object.kind}/${object.name}`, JSON.stringify(locations.map(l=>l.logicalLocations)), line.trim()].join(' '));
	}
}
