
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'nodeglass' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'nodeglass'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'nodeglass' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Kubeconfig context [default: the current one]')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Kubeconfig file, or a list of them as in KUBECONFIG')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--node-selector', '--node-selector', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--list-mode', '--list-mode', [CompletionResultType]::ParameterName, 'How initial lists are fetched [default: auto]')
            [CompletionResult]::new('--resources', '--resources', [CompletionResultType]::ParameterName, 'Resources shown as bars and totals [default: cpu,memory]')
            [CompletionResult]::new('--extra-labels', '--extra-labels', [CompletionResultType]::ParameterName, 'Node labels shown as further columns, separated by commas')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Filter to start with, such as "pool:spot cpu<50 status:draining"')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]')
            [CompletionResult]::new('--node-sort', '--node-sort', [CompletionResultType]::ParameterName, 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc')
            [CompletionResult]::new('--group-by', '--group-by', [CompletionResultType]::ParameterName, 'Grouping to start with [default: none]')
            [CompletionResult]::new('--pricing', '--pricing', [CompletionResultType]::ParameterName, 'Price nodes, and from which sources [default: auto]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile for live prices')
            [CompletionResult]::new('--price-file', '--price-file', [CompletionResultType]::ParameterName, 'Your own prices: a CSV or JSON file')
            [CompletionResult]::new('--extra-costs', '--extra-costs', [CompletionResultType]::ParameterName, 'Further costs to show, separated by commas: control-plane, volumes')
            [CompletionResult]::new('--disable-pricing', '--disable-pricing', [CompletionResultType]::ParameterName, 'Same as --pricing=off, for eks-node-viewer''s users')
            [CompletionResult]::new('--palette', '--palette', [CompletionResultType]::ParameterName, 'What bar colours mean [default: efficiency]')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour, and how many colours [default: auto]')
            [CompletionResult]::new('--theme', '--theme', [CompletionResultType]::ParameterName, 'Background the colours are chosen for [default: auto]')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show the event pane at the start [default: on]')
            [CompletionResult]::new('--mouse', '--mouse', [CompletionResultType]::ParameterName, 'Use the mouse; off leaves it to the terminal for selecting text [default: on]')
            [CompletionResult]::new('--demo-nodes', '--demo-nodes', [CompletionResultType]::ParameterName, 'Play a simulated fleet of this many nodes, 1 to 10000')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Play a scenario file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings file to read')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Write logs to this file')
            [CompletionResult]::new('--log-filter', '--log-filter', [CompletionResultType]::ParameterName, 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Play a simulated fleet; needs no cluster')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Print the current state once and exit')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check what the dashboard needs: cluster, permissions, price sources')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Print the settings in effect as a settings file')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print shell completions')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'nodeglass;snapshot' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The format to print')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The format to print')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for every watch to sync, such as 30s or "1m 30s"')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Kubeconfig context [default: the current one]')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Kubeconfig file, or a list of them as in KUBECONFIG')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--node-selector', '--node-selector', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--list-mode', '--list-mode', [CompletionResultType]::ParameterName, 'How initial lists are fetched [default: auto]')
            [CompletionResult]::new('--resources', '--resources', [CompletionResultType]::ParameterName, 'Resources shown as bars and totals [default: cpu,memory]')
            [CompletionResult]::new('--extra-labels', '--extra-labels', [CompletionResultType]::ParameterName, 'Node labels shown as further columns, separated by commas')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Filter to start with, such as "pool:spot cpu<50 status:draining"')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]')
            [CompletionResult]::new('--node-sort', '--node-sort', [CompletionResultType]::ParameterName, 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc')
            [CompletionResult]::new('--group-by', '--group-by', [CompletionResultType]::ParameterName, 'Grouping to start with [default: none]')
            [CompletionResult]::new('--pricing', '--pricing', [CompletionResultType]::ParameterName, 'Price nodes, and from which sources [default: auto]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile for live prices')
            [CompletionResult]::new('--price-file', '--price-file', [CompletionResultType]::ParameterName, 'Your own prices: a CSV or JSON file')
            [CompletionResult]::new('--extra-costs', '--extra-costs', [CompletionResultType]::ParameterName, 'Further costs to show, separated by commas: control-plane, volumes')
            [CompletionResult]::new('--disable-pricing', '--disable-pricing', [CompletionResultType]::ParameterName, 'Same as --pricing=off, for eks-node-viewer''s users')
            [CompletionResult]::new('--palette', '--palette', [CompletionResultType]::ParameterName, 'What bar colours mean [default: efficiency]')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour, and how many colours [default: auto]')
            [CompletionResult]::new('--theme', '--theme', [CompletionResultType]::ParameterName, 'Background the colours are chosen for [default: auto]')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show the event pane at the start [default: on]')
            [CompletionResult]::new('--mouse', '--mouse', [CompletionResultType]::ParameterName, 'Use the mouse; off leaves it to the terminal for selecting text [default: on]')
            [CompletionResult]::new('--demo-nodes', '--demo-nodes', [CompletionResultType]::ParameterName, 'Play a simulated fleet of this many nodes, 1 to 10000')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Play a scenario file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings file to read')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Write logs to this file')
            [CompletionResult]::new('--log-filter', '--log-filter', [CompletionResultType]::ParameterName, 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Play a simulated fleet; needs no cluster')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nodeglass;doctor' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The format to print')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The format to print')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long each check may take, such as 10s')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Kubeconfig context [default: the current one]')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Kubeconfig file, or a list of them as in KUBECONFIG')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--node-selector', '--node-selector', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--list-mode', '--list-mode', [CompletionResultType]::ParameterName, 'How initial lists are fetched [default: auto]')
            [CompletionResult]::new('--resources', '--resources', [CompletionResultType]::ParameterName, 'Resources shown as bars and totals [default: cpu,memory]')
            [CompletionResult]::new('--extra-labels', '--extra-labels', [CompletionResultType]::ParameterName, 'Node labels shown as further columns, separated by commas')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Filter to start with, such as "pool:spot cpu<50 status:draining"')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]')
            [CompletionResult]::new('--node-sort', '--node-sort', [CompletionResultType]::ParameterName, 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc')
            [CompletionResult]::new('--group-by', '--group-by', [CompletionResultType]::ParameterName, 'Grouping to start with [default: none]')
            [CompletionResult]::new('--pricing', '--pricing', [CompletionResultType]::ParameterName, 'Price nodes, and from which sources [default: auto]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile for live prices')
            [CompletionResult]::new('--price-file', '--price-file', [CompletionResultType]::ParameterName, 'Your own prices: a CSV or JSON file')
            [CompletionResult]::new('--extra-costs', '--extra-costs', [CompletionResultType]::ParameterName, 'Further costs to show, separated by commas: control-plane, volumes')
            [CompletionResult]::new('--disable-pricing', '--disable-pricing', [CompletionResultType]::ParameterName, 'Same as --pricing=off, for eks-node-viewer''s users')
            [CompletionResult]::new('--palette', '--palette', [CompletionResultType]::ParameterName, 'What bar colours mean [default: efficiency]')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour, and how many colours [default: auto]')
            [CompletionResult]::new('--theme', '--theme', [CompletionResultType]::ParameterName, 'Background the colours are chosen for [default: auto]')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show the event pane at the start [default: on]')
            [CompletionResult]::new('--mouse', '--mouse', [CompletionResultType]::ParameterName, 'Use the mouse; off leaves it to the terminal for selecting text [default: on]')
            [CompletionResult]::new('--demo-nodes', '--demo-nodes', [CompletionResultType]::ParameterName, 'Play a simulated fleet of this many nodes, 1 to 10000')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Play a scenario file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings file to read')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Write logs to this file')
            [CompletionResult]::new('--log-filter', '--log-filter', [CompletionResultType]::ParameterName, 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]')
            [CompletionResult]::new('--print-rbac', '--print-rbac', [CompletionResultType]::ParameterName, 'Print the required Kubernetes ClusterRole as YAML and exit')
            [CompletionResult]::new('--print-iam-policy', '--print-iam-policy', [CompletionResultType]::ParameterName, 'Print the AWS IAM policy for live prices as JSON and exit')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Play a simulated fleet; needs no cluster')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nodeglass;config' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Kubeconfig context [default: the current one]')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Kubeconfig file, or a list of them as in KUBECONFIG')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--node-selector', '--node-selector', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--list-mode', '--list-mode', [CompletionResultType]::ParameterName, 'How initial lists are fetched [default: auto]')
            [CompletionResult]::new('--resources', '--resources', [CompletionResultType]::ParameterName, 'Resources shown as bars and totals [default: cpu,memory]')
            [CompletionResult]::new('--extra-labels', '--extra-labels', [CompletionResultType]::ParameterName, 'Node labels shown as further columns, separated by commas')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Filter to start with, such as "pool:spot cpu<50 status:draining"')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]')
            [CompletionResult]::new('--node-sort', '--node-sort', [CompletionResultType]::ParameterName, 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc')
            [CompletionResult]::new('--group-by', '--group-by', [CompletionResultType]::ParameterName, 'Grouping to start with [default: none]')
            [CompletionResult]::new('--pricing', '--pricing', [CompletionResultType]::ParameterName, 'Price nodes, and from which sources [default: auto]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile for live prices')
            [CompletionResult]::new('--price-file', '--price-file', [CompletionResultType]::ParameterName, 'Your own prices: a CSV or JSON file')
            [CompletionResult]::new('--extra-costs', '--extra-costs', [CompletionResultType]::ParameterName, 'Further costs to show, separated by commas: control-plane, volumes')
            [CompletionResult]::new('--disable-pricing', '--disable-pricing', [CompletionResultType]::ParameterName, 'Same as --pricing=off, for eks-node-viewer''s users')
            [CompletionResult]::new('--palette', '--palette', [CompletionResultType]::ParameterName, 'What bar colours mean [default: efficiency]')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour, and how many colours [default: auto]')
            [CompletionResult]::new('--theme', '--theme', [CompletionResultType]::ParameterName, 'Background the colours are chosen for [default: auto]')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show the event pane at the start [default: on]')
            [CompletionResult]::new('--mouse', '--mouse', [CompletionResultType]::ParameterName, 'Use the mouse; off leaves it to the terminal for selecting text [default: on]')
            [CompletionResult]::new('--demo-nodes', '--demo-nodes', [CompletionResultType]::ParameterName, 'Play a simulated fleet of this many nodes, 1 to 10000')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Play a scenario file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings file to read')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Write logs to this file')
            [CompletionResult]::new('--log-filter', '--log-filter', [CompletionResultType]::ParameterName, 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Play a simulated fleet; needs no cluster')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nodeglass;completions' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Kubeconfig context [default: the current one]')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Kubeconfig file, or a list of them as in KUBECONFIG')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--node-selector', '--node-selector', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--list-mode', '--list-mode', [CompletionResultType]::ParameterName, 'How initial lists are fetched [default: auto]')
            [CompletionResult]::new('--resources', '--resources', [CompletionResultType]::ParameterName, 'Resources shown as bars and totals [default: cpu,memory]')
            [CompletionResult]::new('--extra-labels', '--extra-labels', [CompletionResultType]::ParameterName, 'Node labels shown as further columns, separated by commas')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Filter to start with, such as "pool:spot cpu<50 status:draining"')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]')
            [CompletionResult]::new('--node-sort', '--node-sort', [CompletionResultType]::ParameterName, 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc')
            [CompletionResult]::new('--group-by', '--group-by', [CompletionResultType]::ParameterName, 'Grouping to start with [default: none]')
            [CompletionResult]::new('--pricing', '--pricing', [CompletionResultType]::ParameterName, 'Price nodes, and from which sources [default: auto]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile for live prices')
            [CompletionResult]::new('--price-file', '--price-file', [CompletionResultType]::ParameterName, 'Your own prices: a CSV or JSON file')
            [CompletionResult]::new('--extra-costs', '--extra-costs', [CompletionResultType]::ParameterName, 'Further costs to show, separated by commas: control-plane, volumes')
            [CompletionResult]::new('--disable-pricing', '--disable-pricing', [CompletionResultType]::ParameterName, 'Same as --pricing=off, for eks-node-viewer''s users')
            [CompletionResult]::new('--palette', '--palette', [CompletionResultType]::ParameterName, 'What bar colours mean [default: efficiency]')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour, and how many colours [default: auto]')
            [CompletionResult]::new('--theme', '--theme', [CompletionResultType]::ParameterName, 'Background the colours are chosen for [default: auto]')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show the event pane at the start [default: on]')
            [CompletionResult]::new('--mouse', '--mouse', [CompletionResultType]::ParameterName, 'Use the mouse; off leaves it to the terminal for selecting text [default: on]')
            [CompletionResult]::new('--demo-nodes', '--demo-nodes', [CompletionResultType]::ParameterName, 'Play a simulated fleet of this many nodes, 1 to 10000')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Play a scenario file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings file to read')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Write logs to this file')
            [CompletionResult]::new('--log-filter', '--log-filter', [CompletionResultType]::ParameterName, 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Play a simulated fleet; needs no cluster')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nodeglass;man' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Kubeconfig context [default: the current one]')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Kubeconfig file, or a list of them as in KUBECONFIG')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--node-selector', '--node-selector', [CompletionResultType]::ParameterName, 'Only nodes whose labels match, such as karpenter.sh/nodepool=default')
            [CompletionResult]::new('--list-mode', '--list-mode', [CompletionResultType]::ParameterName, 'How initial lists are fetched [default: auto]')
            [CompletionResult]::new('--resources', '--resources', [CompletionResultType]::ParameterName, 'Resources shown as bars and totals [default: cpu,memory]')
            [CompletionResult]::new('--extra-labels', '--extra-labels', [CompletionResultType]::ParameterName, 'Node labels shown as further columns, separated by commas')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Filter to start with, such as "pool:spot cpu<50 status:draining"')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]')
            [CompletionResult]::new('--node-sort', '--node-sort', [CompletionResultType]::ParameterName, 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc')
            [CompletionResult]::new('--group-by', '--group-by', [CompletionResultType]::ParameterName, 'Grouping to start with [default: none]')
            [CompletionResult]::new('--pricing', '--pricing', [CompletionResultType]::ParameterName, 'Price nodes, and from which sources [default: auto]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile for live prices')
            [CompletionResult]::new('--price-file', '--price-file', [CompletionResultType]::ParameterName, 'Your own prices: a CSV or JSON file')
            [CompletionResult]::new('--extra-costs', '--extra-costs', [CompletionResultType]::ParameterName, 'Further costs to show, separated by commas: control-plane, volumes')
            [CompletionResult]::new('--disable-pricing', '--disable-pricing', [CompletionResultType]::ParameterName, 'Same as --pricing=off, for eks-node-viewer''s users')
            [CompletionResult]::new('--palette', '--palette', [CompletionResultType]::ParameterName, 'What bar colours mean [default: efficiency]')
            [CompletionResult]::new('--style', '--style', [CompletionResultType]::ParameterName, 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour, and how many colours [default: auto]')
            [CompletionResult]::new('--theme', '--theme', [CompletionResultType]::ParameterName, 'Background the colours are chosen for [default: auto]')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show the event pane at the start [default: on]')
            [CompletionResult]::new('--mouse', '--mouse', [CompletionResultType]::ParameterName, 'Use the mouse; off leaves it to the terminal for selecting text [default: on]')
            [CompletionResult]::new('--demo-nodes', '--demo-nodes', [CompletionResultType]::ParameterName, 'Play a simulated fleet of this many nodes, 1 to 10000')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Play a scenario file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings file to read')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Write logs to this file')
            [CompletionResult]::new('--log-filter', '--log-filter', [CompletionResultType]::ParameterName, 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Play a simulated fleet; needs no cluster')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'nodeglass;help' {
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Print the current state once and exit')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check what the dashboard needs: cluster, permissions, price sources')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Print the settings in effect as a settings file')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print shell completions')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'nodeglass;help;snapshot' {
            break
        }
        'nodeglass;help;doctor' {
            break
        }
        'nodeglass;help;config' {
            break
        }
        'nodeglass;help;completions' {
            break
        }
        'nodeglass;help;man' {
            break
        }
        'nodeglass;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
