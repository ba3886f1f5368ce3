#include "recipes/manifest_faults.hpp"

#include <yaml-cpp/yaml.h>

#include <map>

#include "recipes/program_facts.hpp"
#include "recipes/yaml_schema.hpp"

namespace ossau::test {
namespace {

using Faults = std::vector<std::string>;

// Of the interfaces, what the recipes use; their documents are named in docs/clusters.md.
Schema kubernetes_schema() {
  return {
      {"Metadata", {{"name", "!"}}},
      {"Service",
       {{"apiVersion", "!=v1"},
        {"kind", "!=Service"},
        {"metadata", "!Metadata"},
        {"spec", "!ServiceSpec"}}},
      {"ServiceSpec",
       {{"clusterIP", "!=None"}, {"publishNotReadyAddresses", "!=true"}, {"selector", "!{}"}}},
      {"Job",
       {{"apiVersion", "!=batch/v1"},
        {"kind", "!=Job"},
        {"metadata", "!Metadata"},
        {"spec", "!JobSpec"}}},
      {"JobSpec",
       {{"completionMode", "!=Indexed"},
        {"completions", "!"},
        {"parallelism", "!"},
        {"backoffLimit", "!"},
        {"podFailurePolicy", "!FailurePolicy"},
        {"template", "!JobPod"}}},
      {"FailurePolicy", {{"rules", "![]FailureRule"}}},
      {"FailureRule",
       {{"action", "!"}, {"onExitCodes", "ExitCodes"}, {"onPodConditions", "[]PodCondition"}}},
      {"ExitCodes", {{"containerName", "!"}, {"operator", "!"}, {"values", "![]"}}},
      {"PodCondition", {{"type", "!"}}},
      {"JobPod", {{"spec", "!JobPodSpec"}}},
      {"JobPodSpec",
       {{"subdomain", "!"},
        {"restartPolicy", "!=Never"},
        {"terminationGracePeriodSeconds", "!"},
        {"containers", "![]Container"},
        {"volumes", "![]Volume"}}},
      {"MPIJob",
       {{"apiVersion", "!=kubeflow.org/v2beta1"},
        {"kind", "!=MPIJob"},
        {"metadata", "!Metadata"},
        {"spec", "!MPIJobSpec"}}},
      {"MPIJobSpec",
       {{"slotsPerWorker", ""},
        {"sshAuthMountPath", "!"},
        {"mpiImplementation", "!=OpenMPI"},
        {"runPolicy", "RunPolicy"},
        {"mpiReplicaSpecs", "!Replicas"}}},
      {"RunPolicy", {{"cleanPodPolicy", ""}, {"backoffLimit", ""}}},
      {"Replicas", {{"Launcher", "!Replica"}, {"Worker", "!Replica"}}},
      {"Replica", {{"replicas", "!"}, {"restartPolicy", ""}, {"template", "!Pod"}}},
      {"Pod", {{"spec", "!PodSpec"}}},
      {"PodSpec",
       {{"terminationGracePeriodSeconds", "!"},
        {"containers", "![]Container"},
        {"volumes", "![]Volume"}}},
      {"Container",
       {{"name", "!"},
        {"image", "!"},
        {"workingDir", ""},
        {"command", "[]"},
        {"args", "![]"},
        {"securityContext", "SecurityContext"},
        {"env", "[]Variable"},
        {"resources", "!Resources"},
        {"volumeMounts", "![]Mount"}}},
      {"SecurityContext", {{"runAsUser", "!"}}},
      {"Variable", {{"name", "!"}, {"value", ""}, {"valueFrom", "Source"}}},
      {"Source", {{"fieldRef", "FieldRef"}, {"secretKeyRef", "SecretKey"}}},
      {"FieldRef",
       {{"fieldPath", "!=metadata.annotations['batch.kubernetes.io/job-completion-index']"}}},
      {"SecretKey", {{"name", "!"}, {"key", "!"}}},
      {"Resources", {{"requests", "{}"}, {"limits", "!{}"}}},
      {"Mount", {{"name", "!"}, {"mountPath", "!"}}},
      {"Volume", {{"name", "!"}, {"persistentVolumeClaim", "!Claim"}}},
      {"Claim", {{"claimName", "!"}}},
  };
}

const Schema& compose_schema() {
  static const Schema schema = {{"Compose", {{"services", "!Services"}}},
                                {"Services", {{"node0", "!Node"}, {"node1", "!Node"}}},
                                {"Node",
                                 {{"image", "!"},
                                  {"hostname", "!"},
                                  {"user", "!"},
                                  {"volumes", "![]"},
                                  {"command", "![]"},
                                  {"stop_grace_period", "!"},
                                  {"environment", "!{}"}}}};
  return schema;
}

void add(Faults& faults, Faults more) { faults.insert(faults.end(), more.begin(), more.end()); }

std::string text_of(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : "";
}

void expect_same(Faults& faults, const std::string& what, const std::string& value,
                 const std::string& expected) {
  if (value != expected) faults.push_back(what + " is " + value + ", not " + expected);
}

// The variables of a container; what comes from a field or a secret has no value here.
std::map<std::string, std::string> variables_of(const YAML::Node& container) {
  std::map<std::string, std::string> variables;
  for (const YAML::Node& variable : container["env"]) {
    variables[text_of(variable["name"])] = text_of(variable["value"]);
  }
  return variables;
}

Faults variable_faults(const std::map<std::string, std::string>& variables) {
  std::vector<std::string> names;
  for (const auto& [name, value] : variables) names.push_back(name);
  Faults faults = unread(names);
  for (const std::string name :
       {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "OSSAU_JOB_TOKEN"}) {
    if (!variables.contains(name)) faults.push_back(name + " is not set");
  }
  return faults;
}

Faults job_faults(const YAML::Node& job, const YAML::Node& service) {
  const YAML::Node spec = job["spec"];
  const YAML::Node pod = spec["template"]["spec"];
  const std::string name = text_of(job["metadata"]["name"]);
  const std::string domain = text_of(service["metadata"]["name"]);
  const auto variables = variables_of(pod["containers"][0]);
  Faults faults = variable_faults(variables);
  if (!faults.empty()) return faults;
  const std::string ranks = text_of(spec["completions"]);
  expect_same(faults, "parallelism", text_of(spec["parallelism"]), ranks);
  expect_same(faults, "WORLD_SIZE", variables.at("WORLD_SIZE"), ranks);
  expect_same(faults, "subdomain", text_of(pod["subdomain"]), domain);
  expect_same(faults, "the Service's selector", text_of(service["spec"]["selector"]["job-name"]),
              name);
  expect_same(faults, "MASTER_ADDR", variables.at("MASTER_ADDR"), name + "-0." + domain);
  std::string ignored;
  for (const YAML::Node& rule : spec["podFailurePolicy"]["rules"]) {
    const std::string action = text_of(rule["action"]);
    if (action != "Ignore" && action != "FailJob" && action != "Count") {
      faults.push_back("podFailurePolicy knows no action " + action);
    }
    const YAML::Node codes = rule["onExitCodes"];
    if (!codes) continue;
    expect_same(faults, "podFailurePolicy's container", text_of(codes["containerName"]),
                text_of(pod["containers"][0]["name"]));
    if (action == "Ignore") ignored = text_of(codes["values"][0]);
  }
  expect_same(faults, "the exit code that is no failure", ignored, "75");
  return faults;
}

Faults mpi_job_faults(const YAML::Node& job) {
  Faults faults;
  const YAML::Node replicas = job["spec"]["mpiReplicaSpecs"];
  const YAML::Node launcher = replicas["Launcher"]["template"]["spec"]["containers"][0];
  std::map<std::string, std::string> after;  // of each word of the command, the next one
  std::string last = text_of(launcher["command"][0]);
  expect_same(faults, "the launcher's command", last, "mpirun");
  for (const YAML::Node& word : launcher["args"]) {
    after[last] = text_of(word);
    last = text_of(word);
  }
  const auto slots = job["spec"]["slotsPerWorker"].as<int>(1);
  const auto workers = replicas["Worker"]["replicas"].as<int>(0);
  expect_same(faults, "-np", after["-np"], std::to_string(slots * workers));
  // mpirun waits so long before SIGTERM and again before SIGKILL, first here and then elsewhere.
  const int pause_s = std::stoi("0" + after["odls_base_sigkill_timeout"]);
  const int grace_s =
      replicas["Launcher"]["template"]["spec"]["terminationGracePeriodSeconds"].as<int>(0);
  if (pause_s == 0 || grace_s <= 4 * pause_s) {
    faults.push_back("terminationGracePeriodSeconds is " + std::to_string(grace_s) +
                     ", too short for four pauses of mpirun");
  }
  return faults;
}

// Every volume that is mounted is one of the pod's.
void expect_volumes(Faults& faults, const YAML::Node& pod) {
  std::map<std::string, bool> volumes;
  for (const YAML::Node& volume : pod["volumes"]) volumes[text_of(volume["name"])] = true;
  for (const YAML::Node& container : pod["containers"]) {
    for (const YAML::Node& mount : container["volumeMounts"]) {
      if (!volumes[text_of(mount["name"])]) {
        faults.push_back("there is no volume " + text_of(mount["name"]));
      }
    }
  }
}

std::vector<YAML::Node> documents(const std::string& text, Faults& faults) {
  try {
    std::vector<YAML::Node> nodes = YAML::LoadAll(text);
    for (const YAML::Node& node : nodes) add(faults, duplicate_keys(node));
    return nodes;
  } catch (const YAML::Exception& error) {
    faults.emplace_back(error.what());
    return {};
  }
}

}  // namespace

std::vector<std::string> kubernetes_faults(const std::string& text) {
  Faults faults;
  std::map<std::string, YAML::Node> found;
  const Schema schema = kubernetes_schema();
  for (const YAML::Node& node : documents(text, faults)) {
    const std::string kind = node.IsMap() ? text_of(node["kind"]) : "";
    if (kind != "Service" && kind != "Job" && kind != "MPIJob") {
      faults.push_back("unknown kind " + kind);
    } else {
      add(faults, schema_faults(schema, kind, node));
      found.emplace(kind, node);
    }
  }
  if (!faults.empty()) return faults;
  if (found.contains("Job") != found.contains("Service")) {
    faults.emplace_back("a Job needs its Service, and a Service its Job");
  } else if (found.contains("Job")) {
    add(faults, job_faults(found.at("Job"), found.at("Service")));
    expect_volumes(faults, found.at("Job")["spec"]["template"]["spec"]);
  } else if (found.contains("MPIJob")) {
    add(faults, mpi_job_faults(found.at("MPIJob")));
    for (const auto& replica : found.at("MPIJob")["spec"]["mpiReplicaSpecs"]) {
      expect_volumes(faults, replica.second["template"]["spec"]);
    }
  } else {
    faults.emplace_back("there is no job");
  }
  return faults;
}

std::vector<std::string> compose_faults(const std::string& text) {
  Faults faults;
  const std::vector<YAML::Node> nodes = documents(text, faults);
  if (nodes.size() != 1) faults.emplace_back("must be one document");
  if (faults.empty()) add(faults, schema_faults(compose_schema(), "Compose", nodes[0]));
  if (!faults.empty()) return faults;
  std::map<std::string, std::string> first;
  int rank = 0;
  for (const auto& service : nodes[0]["services"]) {
    std::map<std::string, std::string> variables;
    for (const auto& variable : service.second["environment"]) {
      variables[text_of(variable.first)] = text_of(variable.second);
    }
    add(faults, variable_faults(variables));
    expect_same(faults, "RANK", variables["RANK"], std::to_string(rank++));
    expect_same(faults, "the hostname", text_of(service.second["hostname"]),
                text_of(service.first));
    expect_same(faults, "WORLD_SIZE", variables["WORLD_SIZE"], "2");
    expect_same(faults, "MASTER_ADDR", variables["MASTER_ADDR"], "node0");
    variables.erase("RANK");
    if (first.empty()) first = variables;
    if (first != variables) faults.emplace_back("the nodes are told different things");
  }
  return faults;
}

}  // namespace ossau::test
