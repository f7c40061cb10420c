{{- /* A value as the program reads it: YAML takes a bare yes for true, and numbers for floats. */}}
{{- define "cloud-audit-setup.text" -}}
{{- if kindIs "bool" . }}{{ ternary "yes" "no" . }}
{{- else if kindIs "float64" . }}{{ printf "%.0f" . }}
{{- else if kindIs "slice" . }}
{{- $items := list }}
{{- range . }}{{ $items = append $items (include "cloud-audit-setup.text" .) }}{{ end }}
{{- join "," $items }}
{{- else }}{{ toString . }}
{{- end }}
{{- end }}

{{- /* base/config.ini, with the lines of the keys that have a value replaced. */}}
{{- define "cloud-audit-setup.config" -}}
{{- $lines := list }}
{{- $section := dict }}
{{- range $line := splitList "\n" (.Files.Get "files/base/config.ini") }}
{{- if regexMatch "^\\[.+\\]$" $line }}
{{- $section = index $.Values.config (trimAll "[]" $line) | default dict }}
{{- else if regexMatch "^;?[a-z]" $line }}
{{- $key := regexFind "[a-z_-]+" $line }}
{{- if hasKey $section $key }}
{{- $line = printf "%s = %s" $key (include "cloud-audit-setup.text" (index $section $key)) | trimSuffix " " }}
{{- end }}
{{- end }}
{{- $lines = append $lines $line }}
{{- end }}
{{- join "\n" $lines }}
{{- end }}

{{- /* An image as in k8s/base, NAME:TAG or NAME@DIGEST, with what the values have in its place. */}}
{{- define "cloud-audit-setup.image" -}}
{{- $was := index . 0 }}
{{- $now := index . 1 }}
{{- $name := regexReplaceAll "(:[^:/@]+)?(@.*)?$" $was "" }}
{{- $at := trimPrefix $name $was }}
{{- if $now.digest }}{{ $at = print "@" $now.digest }}
{{- else if $now.tag }}{{ $at = print ":" $now.tag }}
{{- end }}
{{- print ($now.repository | default $name) $at }}
{{- end }}

{{- /* What does not go together. */}}
{{- define "cloud-audit-setup.check" -}}
{{- range $pair := list
	(list "dbus-only" "keystrokes" "there is nowhere to write to")
	(list "dbus-only" "identity" "there is nowhere to write to")
	(list "dbus-only" "recursive-read-only" "nothing of the host is mounted")
	(list "dbus-only" "watch" "its unit has no file to be judged by")
	(list "dbus-only" "watch-textfile" "its unit has no file to be judged by")
	(list "ecs" "sigma" "entries have one form")
	(list "fluent-bit" "ecs" "it is for fluentd")
	(list "fluent-bit" "sigma" "it is for fluentd")
	(list "fluent-bit" "forward" "it is for fluentd")
	(list "fluent-bit" "forward/elasticsearch" "it is for fluentd")
	(list "forward" "forward/elasticsearch" "one destination")
	(list "watch" "watch-textfile" "the second is the first, with metrics") }}
{{- if and (index $.Values.components (index $pair 0)) (index $.Values.components (index $pair 1)) }}
{{- fail (printf "components.%s and components.%s do not go together: %s" (index $pair 0) (index $pair 1) (index $pair 2)) }}
{{- end }}
{{- end }}
{{- /* What a component sets by an argument outweighs config. `no` in quotes and nothing are the defaults: nobody's word. */}}
{{- range $set := list
	"identity container.identity=yes"
	"identity container.restart=yes"
	"identity container.runtime_unit=containerd.service"
	"keystrokes container.keystrokes=yes"
	"keystrokes container.runtime_unit=containerd.service"
	"keystrokes tty.sshd=yes" }}
{{- $word := regexSplit "[ .=]" $set 4 }}
{{- $setting := printf "%s.%s" (index $word 1) (index $word 2) }}
{{- $given := index (index $.Values.config (index $word 1) | default dict) (index $word 2) }}
{{- $text := include "cloud-audit-setup.text" $given }}
{{- $arguments := join "\n" $.Values.extraArgs }}
{{- if and (index $.Values.components (index $word 0)) (ne $.Values.action "remove") (not (kindIs "invalid" $given)) (not (has $given (list "" "no"))) (ne $text (index $word 3)) (not (contains (printf "--set=%s=" $setting) $arguments)) }}
{{- fail (printf "config.%s: %s has no effect: components.%s sets %s=%s; extraArgs: [\"--set=%s=%s\"] comes after it" $setting $text (index $word 0) $setting (index $word 3) $setting $text) }}
{{- end }}
{{- end }}
{{- end }}
