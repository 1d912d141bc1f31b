"""Every overlay keeps every rule; a manifest that breaks one is caught by that rule and by no other."""

from collections.abc import Callable

import pod_rules
import program_rules
import pytest
import reference_rules
import schedule_rules
from manifests import OVERLAYS, Manifests, Render

RULES = [*pod_rules.RULES, *reference_rules.RULES, *schedule_rules.RULES, *program_rules.RULES]
BROKEN: dict[str, Callable[[Manifests], object]] = {}  # by the name of the rule that each breaks


def breaks(rule: Callable[[Manifests], object]):
    def note(change: Callable[[Manifests], object]):
        BROKEN[rule.__name__] = change
        return change

    return note


def faults(found: Manifests) -> dict[str, list[str]]:
    told = {rule.__name__: list(rule(found)) for rule in RULES}
    return {name: one for name, one in told.items() if one}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_keeps_every_rule(render: Render, overlay: str):
    assert faults(render(f"overlays/{overlay}")) == {}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_one_off_jobs_keep_every_rule_beside_their_overlay(render: Render, overlay: str):
    assert faults(Manifests([*render(f"overlays/{overlay}").objects, *render(f"now/{overlay}").objects])) == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_manifest_that_breaks_a_rule_is_caught_by_it_alone(render: Render, rule: Callable[[Manifests], object]):
    broken = render("overlays/production").copy()
    BROKEN[rule.__name__](broken)
    assert faults(broken).keys() == {rule.__name__}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_production_alone_has_the_cloud_sql_proxy_and_in_every_pod(render: Render, overlay: str):
    pods = [*render(f"overlays/{overlay}").pods(), *render(f"now/{overlay}").pods()]
    side_cars = [[one["name"] for one in pod.spec.get("initContainers", [])] for pod in pods]
    assert side_cars == [["cloud-sql-proxy"] if overlay == "production" else []] * len(pods)


def main(found: Manifests, kind: str = "CronJob", name: str = "calibrate-irt-nightly"):
    return found.pod_spec(kind, name)["containers"][0]


def service(found: Manifests):
    return main(found, "Deployment", "r-irt-plumber")


def night(found: Manifests):
    return found.get("CronJob", "calibrate-irt-nightly")["spec"]


@breaks(pod_rules.runs_as_our_uid)
def _(found):
    main(found)["securityContext"]["runAsUser"] = 0


@breaks(pod_rules.root_is_read_only)
def _(found):
    del main(found)["securityContext"]["readOnlyRootFilesystem"]


@breaks(pod_rules.has_no_privileges)
def _(found):
    main(found)["securityContext"]["capabilities"] = {"drop": ["ALL"], "add": ["NET_ADMIN"]}


@breaks(pod_rules.seccomp_is_the_runtimes)
def _(found):
    del found.pod_spec("Job", "db-migrate")["securityContext"]["seccompProfile"]


@breaks(pod_rules.asks_for_what_it_may_take)
def _(found):
    del main(found)["resources"]["limits"]["memory"]


@breaks(pod_rules.is_probed)
def _(found):
    del found.pod_spec("Job", "db-migrate")["initContainers"][0]["livenessProbe"]


@breaks(pod_rules.probes_a_port_that_it_has)
def _(found):
    service(found)["readinessProbe"]["httpGet"]["port"] = "web"


@breaks(pod_rules.has_no_api_token)
def _(found):
    found.pod_spec("Job", "db-migrate").pop("automountServiceAccountToken")


@breaks(pod_rules.image_is_pinned)
def _(found):
    main(found)["image"] = "registry.example.org/thetaline-jobs:latest"


@breaks(pod_rules.writes_only_where_it_is_bounded)
def _(found):
    tmp = next(one for one in found.pod_spec("Job", "db-migrate")["volumes"] if one["name"] == "tmp")
    tmp["emptyDir"] = {}


@breaks(pod_rules.mounts_what_it_has)
def _(found):
    found.pod_spec("Job", "db-migrate")["volumes"].append({"name": "spare", "emptyDir": {"sizeLimit": "1Gi"}})


@breaks(pod_rules.nothing_keeps_a_job_from_completing)
def _(found):
    spec = found.pod_spec("Job", "db-migrate")
    spec["containers"] += spec.pop("initContainers")


@breaks(reference_rules.is_in_our_namespace)
def _(found):
    found.get("Service", "r-irt-plumber")["metadata"]["namespace"] = "default"


@breaks(reference_rules.namespace_enforces_restricted)
def _(found):
    del found.get("Namespace", "seedtest")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]


@breaks(reference_rules.deployment_selects_its_pods)
def _(found):
    found.get("Deployment", "r-irt-plumber")["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = "irt"


@breaks(reference_rules.service_leads_to_a_port)
def _(found):
    found.get("Service", "r-irt-plumber")["spec"]["selector"] = {"app": "r-irt-plumber"}


@breaks(reference_rules.monitor_scrapes_a_port)
def _(found):
    found.get("ServiceMonitor", "r-irt-plumber")["spec"]["endpoints"][0]["port"] = "metrics"


@breaks(reference_rules.network_policy_selects_pods)
def _(found):
    found.get("NetworkPolicy", "to-service")["spec"]["podSelector"] = {"matchLabels": {"app": "r-irt-plumber"}}


@breaks(reference_rules.autoscaler_has_its_target)
def _(found):
    found.get("HorizontalPodAutoscaler", "r-irt-plumber")["spec"]["scaleTargetRef"]["name"] = "irt"


@breaks(reference_rules.disruption_budget_selects_pods)
def _(found):
    found.get("PodDisruptionBudget", "r-irt-plumber")["spec"]["selector"] = {"matchLabels": {"app": "irt"}}


@breaks(reference_rules.disruption_budget_lets_unhealthy_pods_go)
def _(found):
    del found.get("PodDisruptionBudget", "r-irt-plumber")["spec"]["unhealthyPodEvictionPolicy"]


@breaks(reference_rules.account_is_there)
def _(found):
    found.pod_spec("Job", "db-migrate")["serviceAccountName"] = "default"


@breaks(reference_rules.config_map_is_there)
def _(found):
    found.pod_spec("Job", "db-migrate")["initContainers"][0]["envFrom"][0]["configMapRef"]["name"] = "proxy"


@breaks(reference_rules.secret_key_is_there)
def _(found):
    found.get("ExternalSecret", "r-irt-plumber-credentials")["spec"]["data"][0]["secretKey"] = "TOKEN"


@breaks(reference_rules.secret_has_one_maker)
def _(found):
    name = {"name": "calibrate-irt-credentials", "namespace": "seedtest"}
    found.objects.append({"kind": "Secret", "metadata": name, "stringData": {"DATABASE_URL": "x"}})


@breaks(reference_rules.external_secret_has_its_store)
def _(found):
    found.get("ExternalSecret", "r-irt-plumber-credentials")["spec"]["secretStoreRef"]["kind"] = "ClusterSecretStore"


@breaks(reference_rules.external_secret_stays_when_its_source_goes)
def _(found):
    found.get("ExternalSecret", "r-irt-plumber-credentials")["spec"]["target"]["deletionPolicy"] = "Delete"


@breaks(reference_rules.remote_key_is_one_of_secret_manager)
def _(found):
    data = found.get("ExternalSecret", "r-irt-plumber-credentials")["spec"]["data"]
    data[0]["remoteRef"]["key"] = "seedtest/r-irt-token"


@breaks(reference_rules.store_account_is_there)
def _(found):
    del found.get("ServiceAccount", "secret-reader")["metadata"]["annotations"]


@breaks(schedule_rules.schedule_is_of_utc)
def _(found):
    del night(found)["timeZone"]


@breaks(schedule_rules.never_runs_beside_itself)
def _(found):
    night(found)["concurrencyPolicy"] = "Allow"


@breaks(schedule_rules.starts_before_the_next_stage)
def _(found):
    late = found.get("CronJob", "fit-growth-glmm")["spec"]
    late["startingDeadlineSeconds"] = 0


@breaks(schedule_rules.ends_before_the_next_stage_starts)
def _(found):
    night(found)["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 6 * 3600


@breaks(schedule_rules.keeps_its_history)
def _(found):
    night(found)["failedJobsHistoryLimit"] = 1


@breaks(schedule_rules.name_leaves_room)
def _(found):
    found.get("CronJob", "fit-growth-glmm")["metadata"]["name"] = "fit-growth-glmm-".ljust(53, "x")


@breaks(schedule_rules.is_bounded_in_time)
def _(found):
    del found.get("Job", "db-migrate")["spec"]["activeDeadlineSeconds"]


@breaks(schedule_rules.stays_over_a_weekend)
def _(found):
    night(found)["jobTemplate"]["spec"]["ttlSecondsAfterFinished"] = 3600


@breaks(schedule_rules.tells_failures_apart)
def _(found):
    night(found)["jobTemplate"]["spec"]["podFailurePolicy"]["rules"].reverse()


@breaks(program_rules.command_is_one_of_ours)
def _(found):
    main(found, name="fit-growth-bayesian")["command"][-1] = "fit_growth_bayesian"


@breaks(program_rules.setting_is_known)
def _(found):
    found.get("ConfigMap", "thetaline-settings")["data"]["MIRT_MODLE"] = "3PL"


@breaks(program_rules.setting_keeps_its_rule)
def _(found):
    found.get("ConfigMap", "thetaline-settings")["data"]["SERVICE_PORT"] = "80000"


@breaks(program_rules.secret_is_a_file_that_is_mounted)
def _(found):
    service(found)["env"] = [one for one in service(found)["env"] if one["name"] != "R_IRT_INTERNAL_TOKEN_FILE"]


@breaks(program_rules.no_secret_is_a_variable)
def _(found):
    service(found)["env"].append({"name": "AWS_SESSION_TOKEN", "value": "x"})


@breaks(program_rules.temporary_files_have_a_place)
def _(found):
    main(found)["volumeMounts"][0]["mountPath"] = "/scratch"


@breaks(program_rules.service_has_time_to_stop)
def _(found):
    found.pod_spec("Deployment", "r-irt-plumber")["terminationGracePeriodSeconds"] = 30


@breaks(program_rules.fits_have_the_memory_that_they_may_take)
def _(found):
    service(found)["resources"]["limits"]["memory"] = "6Gi"
