{{- /* Made by `make manifests` from k8s/base, k8s/remove and k8s/components, where the comments are. Do not edit. */}}
{{- define "cloud-audit-cluster.data" }}
{{- $data := dict }}
{{- if index .Values.components "fluent-bit" }}
{{- $_ := set $data "location" "" }}
{{- $_ := set $data "name" "" }}
{{- end }}
{{- range $key, $value := .Values.cluster }}
{{- $_ := set $data $key (include "cloud-audit-setup.text" $value) }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-elasticsearch.data" }}
{{- $data := dict }}
{{- if index .Values.components "forward/elasticsearch" }}
{{- $_ := set $data "host" "elasticsearch.logging.svc" }}
{{- $_ := set $data "port" "9200" }}
{{- end }}
{{- range $key, $value := .Values.elasticsearch }}
{{- $_ := set $data $key (include "cloud-audit-setup.text" $value) }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-fluent-bit.data" }}
{{- $data := dict }}
{{- if index .Values.components "fluent-bit" }}
{{- $_ := set $data "audit.lua" (.Files.Get "files/components/fluent-bit/audit.lua") }}
{{- $_ := set $data "audit_arguments.lua" (.Files.Get "files/components/fluent-bit/audit_arguments.lua") }}
{{- $_ := set $data "audit_entry.lua" (.Files.Get "files/components/fluent-bit/audit_entry.lua") }}
{{- $_ := set $data "audit_events.lua" (.Files.Get "files/components/fluent-bit/audit_events.lua") }}
{{- $_ := set $data "audit_record.lua" (.Files.Get "files/components/fluent-bit/audit_record.lua") }}
{{- $_ := set $data "audit_sessions.lua" (.Files.Get "files/components/fluent-bit/audit_sessions.lua") }}
{{- $_ := set $data "audit_table.lua" (.Files.Get "files/components/fluent-bit/audit_table.lua") }}
{{- $_ := set $data "audit_text.lua" (.Files.Get "files/components/fluent-bit/audit_text.lua") }}
{{- $_ := set $data "fluent-bit.yaml" (.Files.Get "files/components/fluent-bit/fluent-bit.yaml") }}
{{- $_ := set $data "signals.lua" (.Files.Get "files/components/fluent-bit/signals.lua") }}
{{- $_ := set $data "start.lua" (.Files.Get "files/components/fluent-bit/start.lua") }}
{{- $_ := set $data "state.lua" (.Files.Get "files/components/fluent-bit/state.lua") }}
{{- $_ := set $data "volume.lua" (.Files.Get "files/components/fluent-bit/volume.lua") }}
{{- end }}
{{- range $key, $value := .Values.shipper.files }}
{{- $_ := set $data $key (include "cloud-audit-setup.text" $value) }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-fluentd.data" }}
{{- $data := dict }}
{{- $_ := set $data "audit_arguments.rb" (.Files.Get "files/base/fluentd/audit_arguments.rb") }}
{{- $_ := set $data "audit_entry.rb" (.Files.Get "files/base/fluentd/audit_entry.rb") }}
{{- $_ := set $data "audit_events.rb" (.Files.Get "files/base/fluentd/audit_events.rb") }}
{{- $_ := set $data "audit_journal.rb" (.Files.Get "files/base/fluentd/audit_journal.rb") }}
{{- $_ := set $data "audit_proc.rb" (.Files.Get "files/base/fluentd/audit_proc.rb") }}
{{- $_ := set $data "audit_record.rb" (.Files.Get "files/base/fluentd/audit_record.rb") }}
{{- $_ := set $data "audit_sessions.rb" (.Files.Get "files/base/fluentd/audit_sessions.rb") }}
{{- $_ := set $data "audit_signals.rb" (.Files.Get "files/base/fluentd/audit_signals.rb") }}
{{- $_ := set $data "audit_state.rb" (.Files.Get "files/base/fluentd/audit_state.rb") }}
{{- $_ := set $data "audit_table.rb" (.Files.Get "files/base/fluentd/audit_table.rb") }}
{{- $_ := set $data "audit_text.rb" (.Files.Get "files/base/fluentd/audit_text.rb") }}
{{- $_ := set $data "filter.conf" (.Files.Get "files/base/fluentd/filter.conf") }}
{{- if index .Values.components "ecs" }}
{{- $_ := set $data "filter_linux_audit_ecs.rb" (.Files.Get "files/components/ecs/filter_linux_audit_ecs.rb") }}
{{- end }}
{{- if index .Values.components "sigma" }}
{{- $_ := set $data "filter_linux_audit_sigma.rb" (.Files.Get "files/components/sigma/filter_linux_audit_sigma.rb") }}
{{- end }}
{{- $_ := set $data "filter_linux_audit_volume.rb" (.Files.Get "files/base/fluentd/filter_linux_audit_volume.rb") }}
{{- $_ := set $data "fluent.conf" (.Files.Get "files/base/fluentd/fluent.conf") }}
{{- $_ := set $data "in_chunk_backup.rb" (.Files.Get "files/base/fluentd/in_chunk_backup.rb") }}
{{- $_ := set $data "in_linux_audit.rb" (.Files.Get "files/base/fluentd/in_linux_audit.rb") }}
{{- if index .Values.components "ecs" }}
{{- $_ := set $data "mapping-ecs.conf" (.Files.Get "files/components/ecs/mapping-ecs.conf") }}
{{- end }}
{{- if index .Values.components "sigma" }}
{{- $_ := set $data "mapping-sigma.conf" (.Files.Get "files/components/sigma/mapping-sigma.conf") }}
{{- end }}
{{- $_ := set $data "out_cloud_logging.rb" (.Files.Get "files/base/fluentd/out_cloud_logging.rb") }}
{{- if index .Values.components "forward/elasticsearch" }}
{{- $_ := set $data "out_linux_audit_elasticsearch.rb" (.Files.Get "files/components/forward/elasticsearch/out_linux_audit_elasticsearch.rb") }}
{{- end }}
{{- if index .Values.components "forward" }}
{{- $_ := set $data "output.conf" (.Files.Get "files/components/forward/output.conf") }}
{{- else if index .Values.components "forward/elasticsearch" }}
{{- $_ := set $data "output.conf" (.Files.Get "files/components/forward/elasticsearch/output.conf") }}
{{- else }}
{{- $_ := set $data "output.conf" (.Files.Get "files/base/fluentd/output.conf") }}
{{- end }}
{{- $_ := set $data "source.conf" (.Files.Get "files/base/fluentd/source.conf") }}
{{- if index .Values.components "forward/elasticsearch" }}
{{- $_ := set $data "template-ecs.json" (.Files.Get "files/components/forward/elasticsearch/template-ecs.json") }}
{{- $_ := set $data "template.json" (.Files.Get "files/components/forward/elasticsearch/template.json") }}
{{- end }}
{{- range $key, $value := .Values.shipper.files }}
{{- $_ := set $data $key (include "cloud-audit-setup.text" $value) }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-forward.data" }}
{{- $data := dict }}
{{- if index .Values.components "forward" }}
{{- $_ := set $data "host" "fluentd.logging.svc" }}
{{- $_ := set $data "port" "24224" }}
{{- end }}
{{- range $key, $value := .Values.forward }}
{{- $_ := set $data $key (include "cloud-audit-setup.text" $value) }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-rules.data" }}
{{- $data := dict }}
{{- $_ := set $data "50-local.rules" (.Files.Get "files/base/rules.d/50-local.rules") }}
{{- range $key, $value := .Values.rules }}
{{- $_ := set $data $key (include "cloud-audit-setup.text" $value) }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-setup.data" }}
{{- $data := dict }}
{{- $_ := set $data "config.ini" (include "cloud-audit-setup.config" .) }}
{{- toYaml $data }}
{{- end }}

{{- define "cloud-audit-setup.hash" }}
{{- $all := "" }}
{{- if index .Values.components "fluent-bit" }}
{{- $all = print $all (include "cloud-audit-cluster.data" .) }}
{{- end }}
{{- if index .Values.components "forward/elasticsearch" }}
{{- $all = print $all (include "cloud-audit-elasticsearch.data" .) }}
{{- end }}
{{- if index .Values.components "fluent-bit" }}
{{- $all = print $all (include "cloud-audit-fluent-bit.data" .) }}
{{- end }}
{{- if not (index .Values.components "fluent-bit") }}
{{- $all = print $all (include "cloud-audit-fluentd.data" .) }}
{{- end }}
{{- if index .Values.components "forward" }}
{{- $all = print $all (include "cloud-audit-forward.data" .) }}
{{- end }}
{{- $all = print $all (include "cloud-audit-rules.data" .) }}
{{- $all = print $all (include "cloud-audit-setup.data" .) }}
{{- sha256sum $all }}
{{- end }}
