// schema.mjs NPM <OBJECTS: where a JSON list of Kubernetes objects is not as Kubernetes' OpenAPI wants it (types,
// required fields, allowed values). One line a mistake: KIND/NAME PATH MESSAGE. NPM is what t/k8s/fetch prints.
import { readFileSync } from 'node:fs';

for (const object of JSON.parse(readFileSync(0, 'utf8'))) {
	const [version, group] = object.apiVersion.split('/').reverse();
	const capital = (word) => word[0].toUpperCase() + word.slice(1);
	const name = `IoK8sApi${capital(group?.split('.')[0] ?? 'core')}${capital(version)}${object.kind}`;
	const { validate } = await import(`${process.argv[2]}/node_modules/kubernetes-models/_schemas/${name}.js`);
	if (!validate(object)) {
		for (const { instancePath, keyword, params } of validate.errors)
			console.log(`${object.kind}/${object.metadata?.name} ${instancePath} ${keyword} ${JSON.stringify(params)}`);
	}
}
