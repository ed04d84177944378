# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_nodeglass_global_optspecs
    string join \n context= kubeconfig= l/node-selector= list-mode= resources= extra-labels= filter= sort= node-sort= group-by= pricing= profile= price-file= extra-costs= disable-pricing= palette= style= color= theme= ascii= events= mouse= demo demo-nodes= seed= scenario= config= log-file= log-filter= h/help V/version
end

function __fish_nodeglass_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_nodeglass_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_nodeglass_using_subcommand
    set -l cmd (__fish_nodeglass_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c nodeglass -n "__fish_nodeglass_needs_command" -l context -d 'Kubeconfig context [default: the current one]' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l kubeconfig -d 'Kubeconfig file, or a list of them as in KUBECONFIG' -r -F
complete -c nodeglass -n "__fish_nodeglass_needs_command" -s l -l node-selector -d 'Only nodes whose labels match, such as karpenter.sh/nodepool=default' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l list-mode -d 'How initial lists are fetched [default: auto]' -r -f -a "auto\t'Long lists (pods, events) in pages, short ones streamed where the server supports it'
stream\t'Streaming lists only (KEP-3157), without falling back on a refusal'
pages\t'Pages only, which travel compressed, then a watch'"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l resources -d 'Resources shown as bars and totals [default: cpu,memory]' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l extra-labels -d 'Node labels shown as further columns, separated by commas' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l filter -d 'Filter to start with, such as "pool:spot cpu<50 status:draining"' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l sort -d 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l node-sort -d 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l group-by -d 'Grouping to start with [default: none]' -r -f -a "none\t'No groups'
nodepool\t'Nodepool, or node group where there is none'
zone\t'Availability zone'
type\t'Instance type'
capacity\t'Capacity type: on-demand, spot, reserved'"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l pricing -d 'Price nodes, and from which sources [default: auto]' -r -f -a "auto\t'Built-in prices first, replaced by AWS prices as they arrive'
online\t'As auto, and an error if no AWS source answers'
offline\t'Built-in and cached prices, price file and labels; no requests'
off\t'No prices'"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l profile -d 'AWS profile for live prices' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l price-file -d 'Your own prices: a CSV or JSON file' -r -F
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l extra-costs -d 'Further costs to show, separated by commas: control-plane, volumes' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l disable-pricing -d 'Same as --pricing=off, for eks-node-viewer\'s users' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l palette -d 'What bar colours mean [default: efficiency]' -r -f -a "efficiency\t'Low is bad: capacity is paid for and not requested'
pressure\t'High is bad: capacity is about to run out'"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l style -d 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l color -d 'When to use colour, and how many colours [default: auto]' -r -f -a "auto\t'As many colours as the terminal has; none in a pipe, or if the environment turns them off'
always\t'As auto, and also in a pipe'
never\t'No colour'
16\t'The terminal\'s 16 colours'
256\t'256 colours'
truecolor\t'24 bit colours'"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l theme -d 'Background the colours are chosen for [default: auto]' -r -f -a "auto\t'Detected from COLORFGBG, else dark'
dark\t'Light text on a dark background'
light\t'Dark text on a light background'"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l ascii -d 'Draw with ASCII characters only' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l events -d 'Show the event pane at the start [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l mouse -d 'Use the mouse; off leaves it to the terminal for selecting text [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l demo-nodes -d 'Play a simulated fleet of this many nodes, 1 to 10000' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l seed -d 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l scenario -d 'Play a scenario file' -r -F
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l config -d 'Settings file to read' -r -F
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l log-file -d 'Write logs to this file' -r -F
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l log-filter -d 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]' -r
complete -c nodeglass -n "__fish_nodeglass_needs_command" -l demo -d 'Play a simulated fleet; needs no cluster'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -s V -l version -d 'Print version'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -f -a "snapshot" -d 'Print the current state once and exit'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -f -a "doctor" -d 'Check what the dashboard needs: cluster, permissions, price sources'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -f -a "config" -d 'Print the settings in effect as a settings file'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -f -a "completions" -d 'Print shell completions'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -f -a "man" -d 'Print the manual page'
complete -c nodeglass -n "__fish_nodeglass_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -s o -l output -d 'The format to print' -r -f -a "table\t'Aligned columns for people'
json\t'One JSON document, schema nodeglass/v1'
csv\t'One row per node, with a header row'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l timeout -d 'How long to wait for every watch to sync, such as 30s or "1m 30s"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l context -d 'Kubeconfig context [default: the current one]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l kubeconfig -d 'Kubeconfig file, or a list of them as in KUBECONFIG' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -s l -l node-selector -d 'Only nodes whose labels match, such as karpenter.sh/nodepool=default' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l list-mode -d 'How initial lists are fetched [default: auto]' -r -f -a "auto\t'Long lists (pods, events) in pages, short ones streamed where the server supports it'
stream\t'Streaming lists only (KEP-3157), without falling back on a refusal'
pages\t'Pages only, which travel compressed, then a watch'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l resources -d 'Resources shown as bars and totals [default: cpu,memory]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l extra-labels -d 'Node labels shown as further columns, separated by commas' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l filter -d 'Filter to start with, such as "pool:spot cpu<50 status:draining"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l sort -d 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l node-sort -d 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l group-by -d 'Grouping to start with [default: none]' -r -f -a "none\t'No groups'
nodepool\t'Nodepool, or node group where there is none'
zone\t'Availability zone'
type\t'Instance type'
capacity\t'Capacity type: on-demand, spot, reserved'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l pricing -d 'Price nodes, and from which sources [default: auto]' -r -f -a "auto\t'Built-in prices first, replaced by AWS prices as they arrive'
online\t'As auto, and an error if no AWS source answers'
offline\t'Built-in and cached prices, price file and labels; no requests'
off\t'No prices'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l profile -d 'AWS profile for live prices' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l price-file -d 'Your own prices: a CSV or JSON file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l extra-costs -d 'Further costs to show, separated by commas: control-plane, volumes' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l disable-pricing -d 'Same as --pricing=off, for eks-node-viewer\'s users' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l palette -d 'What bar colours mean [default: efficiency]' -r -f -a "efficiency\t'Low is bad: capacity is paid for and not requested'
pressure\t'High is bad: capacity is about to run out'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l style -d 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l color -d 'When to use colour, and how many colours [default: auto]' -r -f -a "auto\t'As many colours as the terminal has; none in a pipe, or if the environment turns them off'
always\t'As auto, and also in a pipe'
never\t'No colour'
16\t'The terminal\'s 16 colours'
256\t'256 colours'
truecolor\t'24 bit colours'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l theme -d 'Background the colours are chosen for [default: auto]' -r -f -a "auto\t'Detected from COLORFGBG, else dark'
dark\t'Light text on a dark background'
light\t'Dark text on a light background'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l ascii -d 'Draw with ASCII characters only' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l events -d 'Show the event pane at the start [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l mouse -d 'Use the mouse; off leaves it to the terminal for selecting text [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l demo-nodes -d 'Play a simulated fleet of this many nodes, 1 to 10000' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l seed -d 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l scenario -d 'Play a scenario file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l config -d 'Settings file to read' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l log-file -d 'Write logs to this file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l log-filter -d 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -l demo -d 'Play a simulated fleet; needs no cluster'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -s o -l output -d 'The format to print' -r -f -a "text\t'For people'
json\t'One JSON document, schema nodeglass-doctor/v1'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l timeout -d 'How long each check may take, such as 10s' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l context -d 'Kubeconfig context [default: the current one]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l kubeconfig -d 'Kubeconfig file, or a list of them as in KUBECONFIG' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -s l -l node-selector -d 'Only nodes whose labels match, such as karpenter.sh/nodepool=default' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l list-mode -d 'How initial lists are fetched [default: auto]' -r -f -a "auto\t'Long lists (pods, events) in pages, short ones streamed where the server supports it'
stream\t'Streaming lists only (KEP-3157), without falling back on a refusal'
pages\t'Pages only, which travel compressed, then a watch'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l resources -d 'Resources shown as bars and totals [default: cpu,memory]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l extra-labels -d 'Node labels shown as further columns, separated by commas' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l filter -d 'Filter to start with, such as "pool:spot cpu<50 status:draining"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l sort -d 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l node-sort -d 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l group-by -d 'Grouping to start with [default: none]' -r -f -a "none\t'No groups'
nodepool\t'Nodepool, or node group where there is none'
zone\t'Availability zone'
type\t'Instance type'
capacity\t'Capacity type: on-demand, spot, reserved'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l pricing -d 'Price nodes, and from which sources [default: auto]' -r -f -a "auto\t'Built-in prices first, replaced by AWS prices as they arrive'
online\t'As auto, and an error if no AWS source answers'
offline\t'Built-in and cached prices, price file and labels; no requests'
off\t'No prices'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l profile -d 'AWS profile for live prices' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l price-file -d 'Your own prices: a CSV or JSON file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l extra-costs -d 'Further costs to show, separated by commas: control-plane, volumes' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l disable-pricing -d 'Same as --pricing=off, for eks-node-viewer\'s users' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l palette -d 'What bar colours mean [default: efficiency]' -r -f -a "efficiency\t'Low is bad: capacity is paid for and not requested'
pressure\t'High is bad: capacity is about to run out'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l style -d 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l color -d 'When to use colour, and how many colours [default: auto]' -r -f -a "auto\t'As many colours as the terminal has; none in a pipe, or if the environment turns them off'
always\t'As auto, and also in a pipe'
never\t'No colour'
16\t'The terminal\'s 16 colours'
256\t'256 colours'
truecolor\t'24 bit colours'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l theme -d 'Background the colours are chosen for [default: auto]' -r -f -a "auto\t'Detected from COLORFGBG, else dark'
dark\t'Light text on a dark background'
light\t'Dark text on a light background'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l ascii -d 'Draw with ASCII characters only' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l events -d 'Show the event pane at the start [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l mouse -d 'Use the mouse; off leaves it to the terminal for selecting text [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l demo-nodes -d 'Play a simulated fleet of this many nodes, 1 to 10000' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l seed -d 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l scenario -d 'Play a scenario file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l config -d 'Settings file to read' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l log-file -d 'Write logs to this file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l log-filter -d 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l print-rbac -d 'Print the required Kubernetes ClusterRole as YAML and exit'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l print-iam-policy -d 'Print the AWS IAM policy for live prices as JSON and exit'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -l demo -d 'Play a simulated fleet; needs no cluster'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l context -d 'Kubeconfig context [default: the current one]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l kubeconfig -d 'Kubeconfig file, or a list of them as in KUBECONFIG' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -s l -l node-selector -d 'Only nodes whose labels match, such as karpenter.sh/nodepool=default' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l list-mode -d 'How initial lists are fetched [default: auto]' -r -f -a "auto\t'Long lists (pods, events) in pages, short ones streamed where the server supports it'
stream\t'Streaming lists only (KEP-3157), without falling back on a refusal'
pages\t'Pages only, which travel compressed, then a watch'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l resources -d 'Resources shown as bars and totals [default: cpu,memory]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l extra-labels -d 'Node labels shown as further columns, separated by commas' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l filter -d 'Filter to start with, such as "pool:spot cpu<50 status:draining"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l sort -d 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l node-sort -d 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l group-by -d 'Grouping to start with [default: none]' -r -f -a "none\t'No groups'
nodepool\t'Nodepool, or node group where there is none'
zone\t'Availability zone'
type\t'Instance type'
capacity\t'Capacity type: on-demand, spot, reserved'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l pricing -d 'Price nodes, and from which sources [default: auto]' -r -f -a "auto\t'Built-in prices first, replaced by AWS prices as they arrive'
online\t'As auto, and an error if no AWS source answers'
offline\t'Built-in and cached prices, price file and labels; no requests'
off\t'No prices'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l profile -d 'AWS profile for live prices' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l price-file -d 'Your own prices: a CSV or JSON file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l extra-costs -d 'Further costs to show, separated by commas: control-plane, volumes' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l disable-pricing -d 'Same as --pricing=off, for eks-node-viewer\'s users' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l palette -d 'What bar colours mean [default: efficiency]' -r -f -a "efficiency\t'Low is bad: capacity is paid for and not requested'
pressure\t'High is bad: capacity is about to run out'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l style -d 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l color -d 'When to use colour, and how many colours [default: auto]' -r -f -a "auto\t'As many colours as the terminal has; none in a pipe, or if the environment turns them off'
always\t'As auto, and also in a pipe'
never\t'No colour'
16\t'The terminal\'s 16 colours'
256\t'256 colours'
truecolor\t'24 bit colours'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l theme -d 'Background the colours are chosen for [default: auto]' -r -f -a "auto\t'Detected from COLORFGBG, else dark'
dark\t'Light text on a dark background'
light\t'Dark text on a light background'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l ascii -d 'Draw with ASCII characters only' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l events -d 'Show the event pane at the start [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l mouse -d 'Use the mouse; off leaves it to the terminal for selecting text [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l demo-nodes -d 'Play a simulated fleet of this many nodes, 1 to 10000' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l seed -d 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l scenario -d 'Play a scenario file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l config -d 'Settings file to read' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l log-file -d 'Write logs to this file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l log-filter -d 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -l demo -d 'Play a simulated fleet; needs no cluster'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l context -d 'Kubeconfig context [default: the current one]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l kubeconfig -d 'Kubeconfig file, or a list of them as in KUBECONFIG' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -s l -l node-selector -d 'Only nodes whose labels match, such as karpenter.sh/nodepool=default' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l list-mode -d 'How initial lists are fetched [default: auto]' -r -f -a "auto\t'Long lists (pods, events) in pages, short ones streamed where the server supports it'
stream\t'Streaming lists only (KEP-3157), without falling back on a refusal'
pages\t'Pages only, which travel compressed, then a watch'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l resources -d 'Resources shown as bars and totals [default: cpu,memory]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l extra-labels -d 'Node labels shown as further columns, separated by commas' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l filter -d 'Filter to start with, such as "pool:spot cpu<50 status:draining"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l sort -d 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l node-sort -d 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l group-by -d 'Grouping to start with [default: none]' -r -f -a "none\t'No groups'
nodepool\t'Nodepool, or node group where there is none'
zone\t'Availability zone'
type\t'Instance type'
capacity\t'Capacity type: on-demand, spot, reserved'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l pricing -d 'Price nodes, and from which sources [default: auto]' -r -f -a "auto\t'Built-in prices first, replaced by AWS prices as they arrive'
online\t'As auto, and an error if no AWS source answers'
offline\t'Built-in and cached prices, price file and labels; no requests'
off\t'No prices'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l profile -d 'AWS profile for live prices' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l price-file -d 'Your own prices: a CSV or JSON file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l extra-costs -d 'Further costs to show, separated by commas: control-plane, volumes' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l disable-pricing -d 'Same as --pricing=off, for eks-node-viewer\'s users' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l palette -d 'What bar colours mean [default: efficiency]' -r -f -a "efficiency\t'Low is bad: capacity is paid for and not requested'
pressure\t'High is bad: capacity is about to run out'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l style -d 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l color -d 'When to use colour, and how many colours [default: auto]' -r -f -a "auto\t'As many colours as the terminal has; none in a pipe, or if the environment turns them off'
always\t'As auto, and also in a pipe'
never\t'No colour'
16\t'The terminal\'s 16 colours'
256\t'256 colours'
truecolor\t'24 bit colours'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l theme -d 'Background the colours are chosen for [default: auto]' -r -f -a "auto\t'Detected from COLORFGBG, else dark'
dark\t'Light text on a dark background'
light\t'Dark text on a light background'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l ascii -d 'Draw with ASCII characters only' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l events -d 'Show the event pane at the start [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l mouse -d 'Use the mouse; off leaves it to the terminal for selecting text [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l demo-nodes -d 'Play a simulated fleet of this many nodes, 1 to 10000' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l seed -d 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l scenario -d 'Play a scenario file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l config -d 'Settings file to read' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l log-file -d 'Write logs to this file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l log-filter -d 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -l demo -d 'Play a simulated fleet; needs no cluster'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l context -d 'Kubeconfig context [default: the current one]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l kubeconfig -d 'Kubeconfig file, or a list of them as in KUBECONFIG' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -s l -l node-selector -d 'Only nodes whose labels match, such as karpenter.sh/nodepool=default' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l list-mode -d 'How initial lists are fetched [default: auto]' -r -f -a "auto\t'Long lists (pods, events) in pages, short ones streamed where the server supports it'
stream\t'Streaming lists only (KEP-3157), without falling back on a refusal'
pages\t'Pages only, which travel compressed, then a watch'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l resources -d 'Resources shown as bars and totals [default: cpu,memory]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l extra-labels -d 'Node labels shown as further columns, separated by commas' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l filter -d 'Filter to start with, such as "pool:spot cpu<50 status:draining"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l sort -d 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l node-sort -d 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l group-by -d 'Grouping to start with [default: none]' -r -f -a "none\t'No groups'
nodepool\t'Nodepool, or node group where there is none'
zone\t'Availability zone'
type\t'Instance type'
capacity\t'Capacity type: on-demand, spot, reserved'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l pricing -d 'Price nodes, and from which sources [default: auto]' -r -f -a "auto\t'Built-in prices first, replaced by AWS prices as they arrive'
online\t'As auto, and an error if no AWS source answers'
offline\t'Built-in and cached prices, price file and labels; no requests'
off\t'No prices'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l profile -d 'AWS profile for live prices' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l price-file -d 'Your own prices: a CSV or JSON file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l extra-costs -d 'Further costs to show, separated by commas: control-plane, volumes' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l disable-pricing -d 'Same as --pricing=off, for eks-node-viewer\'s users' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l palette -d 'What bar colours mean [default: efficiency]' -r -f -a "efficiency\t'Low is bad: capacity is paid for and not requested'
pressure\t'High is bad: capacity is about to run out'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l style -d 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l color -d 'When to use colour, and how many colours [default: auto]' -r -f -a "auto\t'As many colours as the terminal has; none in a pipe, or if the environment turns them off'
always\t'As auto, and also in a pipe'
never\t'No colour'
16\t'The terminal\'s 16 colours'
256\t'256 colours'
truecolor\t'24 bit colours'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l theme -d 'Background the colours are chosen for [default: auto]' -r -f -a "auto\t'Detected from COLORFGBG, else dark'
dark\t'Light text on a dark background'
light\t'Dark text on a light background'"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l ascii -d 'Draw with ASCII characters only' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l events -d 'Show the event pane at the start [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l mouse -d 'Use the mouse; off leaves it to the terminal for selecting text [default: on]' -r -f -a "on\t''
off\t''"
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l demo-nodes -d 'Play a simulated fleet of this many nodes, 1 to 10000' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l seed -d 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l scenario -d 'Play a scenario file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l config -d 'Settings file to read' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l log-file -d 'Write logs to this file' -r -F
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l log-filter -d 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]' -r
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -l demo -d 'Play a simulated fleet; needs no cluster'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand help; and not __fish_seen_subcommand_from snapshot doctor config completions man help" -f -a "snapshot" -d 'Print the current state once and exit'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand help; and not __fish_seen_subcommand_from snapshot doctor config completions man help" -f -a "doctor" -d 'Check what the dashboard needs: cluster, permissions, price sources'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand help; and not __fish_seen_subcommand_from snapshot doctor config completions man help" -f -a "config" -d 'Print the settings in effect as a settings file'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand help; and not __fish_seen_subcommand_from snapshot doctor config completions man help" -f -a "completions" -d 'Print shell completions'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand help; and not __fish_seen_subcommand_from snapshot doctor config completions man help" -f -a "man" -d 'Print the manual page'
complete -c nodeglass -n "__fish_nodeglass_using_subcommand help; and not __fish_seen_subcommand_from snapshot doctor config completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
