
use builtin;
use str;

set edit:completion:arg-completer[nodeglass] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'nodeglass'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'nodeglass'= {
            cand --context 'Kubeconfig context [default: the current one]'
            cand --kubeconfig 'Kubeconfig file, or a list of them as in KUBECONFIG'
            cand -l 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --node-selector 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --list-mode 'How lists are asked for [default: auto]'
            cand --resources 'Resources with a bar and a total [default: cpu,memory]'
            cand --extra-labels 'Node labels shown as further columns, separated by commas'
            cand --filter 'Filter to start with, such as "pool:spot cpu<50 status:draining"'
            cand --sort 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]'
            cand --node-sort 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc'
            cand --group-by 'Grouping to start with [default: none]'
            cand --disable-pricing 'Show no prices'
            cand --palette 'What the colour of a bar means [default: efficiency]'
            cand --style 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"'
            cand --color 'Whether and how deeply to colour [default: auto]'
            cand --theme 'Background the colours are chosen for [default: auto]'
            cand --ascii 'Draw with ASCII characters only'
            cand --events 'Show the event pane at the start [default: on]'
            cand --mouse 'Use the mouse; off leaves it to the terminal for selecting text [default: on]'
            cand --demo-nodes 'Play a simulated fleet of this many nodes'
            cand --seed 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]'
            cand --scenario 'Play a scenario file'
            cand --config 'Settings file to read'
            cand --log-file 'Write diagnosis to this file; nothing of it ever reaches the screen'
            cand --log-filter 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]'
            cand --demo 'Play a simulated fleet; needs no cluster'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand snapshot 'Print what the dashboard would show, once, and end'
            cand config 'Print the settings in effect as a settings file'
            cand completions 'Print the completions of a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'nodeglass;snapshot'= {
            cand -o 'The format to print'
            cand --output 'The format to print'
            cand --timeout 'How long to wait for every watch to be in sync, such as 30s or "1m 30s"'
            cand --context 'Kubeconfig context [default: the current one]'
            cand --kubeconfig 'Kubeconfig file, or a list of them as in KUBECONFIG'
            cand -l 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --node-selector 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --list-mode 'How lists are asked for [default: auto]'
            cand --resources 'Resources with a bar and a total [default: cpu,memory]'
            cand --extra-labels 'Node labels shown as further columns, separated by commas'
            cand --filter 'Filter to start with, such as "pool:spot cpu<50 status:draining"'
            cand --sort 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]'
            cand --node-sort 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc'
            cand --group-by 'Grouping to start with [default: none]'
            cand --disable-pricing 'Show no prices'
            cand --palette 'What the colour of a bar means [default: efficiency]'
            cand --style 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"'
            cand --color 'Whether and how deeply to colour [default: auto]'
            cand --theme 'Background the colours are chosen for [default: auto]'
            cand --ascii 'Draw with ASCII characters only'
            cand --events 'Show the event pane at the start [default: on]'
            cand --mouse 'Use the mouse; off leaves it to the terminal for selecting text [default: on]'
            cand --demo-nodes 'Play a simulated fleet of this many nodes'
            cand --seed 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]'
            cand --scenario 'Play a scenario file'
            cand --config 'Settings file to read'
            cand --log-file 'Write diagnosis to this file; nothing of it ever reaches the screen'
            cand --log-filter 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]'
            cand --demo 'Play a simulated fleet; needs no cluster'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nodeglass;config'= {
            cand --context 'Kubeconfig context [default: the current one]'
            cand --kubeconfig 'Kubeconfig file, or a list of them as in KUBECONFIG'
            cand -l 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --node-selector 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --list-mode 'How lists are asked for [default: auto]'
            cand --resources 'Resources with a bar and a total [default: cpu,memory]'
            cand --extra-labels 'Node labels shown as further columns, separated by commas'
            cand --filter 'Filter to start with, such as "pool:spot cpu<50 status:draining"'
            cand --sort 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]'
            cand --node-sort 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc'
            cand --group-by 'Grouping to start with [default: none]'
            cand --disable-pricing 'Show no prices'
            cand --palette 'What the colour of a bar means [default: efficiency]'
            cand --style 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"'
            cand --color 'Whether and how deeply to colour [default: auto]'
            cand --theme 'Background the colours are chosen for [default: auto]'
            cand --ascii 'Draw with ASCII characters only'
            cand --events 'Show the event pane at the start [default: on]'
            cand --mouse 'Use the mouse; off leaves it to the terminal for selecting text [default: on]'
            cand --demo-nodes 'Play a simulated fleet of this many nodes'
            cand --seed 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]'
            cand --scenario 'Play a scenario file'
            cand --config 'Settings file to read'
            cand --log-file 'Write diagnosis to this file; nothing of it ever reaches the screen'
            cand --log-filter 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]'
            cand --demo 'Play a simulated fleet; needs no cluster'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nodeglass;completions'= {
            cand --context 'Kubeconfig context [default: the current one]'
            cand --kubeconfig 'Kubeconfig file, or a list of them as in KUBECONFIG'
            cand -l 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --node-selector 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --list-mode 'How lists are asked for [default: auto]'
            cand --resources 'Resources with a bar and a total [default: cpu,memory]'
            cand --extra-labels 'Node labels shown as further columns, separated by commas'
            cand --filter 'Filter to start with, such as "pool:spot cpu<50 status:draining"'
            cand --sort 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]'
            cand --node-sort 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc'
            cand --group-by 'Grouping to start with [default: none]'
            cand --disable-pricing 'Show no prices'
            cand --palette 'What the colour of a bar means [default: efficiency]'
            cand --style 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"'
            cand --color 'Whether and how deeply to colour [default: auto]'
            cand --theme 'Background the colours are chosen for [default: auto]'
            cand --ascii 'Draw with ASCII characters only'
            cand --events 'Show the event pane at the start [default: on]'
            cand --mouse 'Use the mouse; off leaves it to the terminal for selecting text [default: on]'
            cand --demo-nodes 'Play a simulated fleet of this many nodes'
            cand --seed 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]'
            cand --scenario 'Play a scenario file'
            cand --config 'Settings file to read'
            cand --log-file 'Write diagnosis to this file; nothing of it ever reaches the screen'
            cand --log-filter 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]'
            cand --demo 'Play a simulated fleet; needs no cluster'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nodeglass;man'= {
            cand --context 'Kubeconfig context [default: the current one]'
            cand --kubeconfig 'Kubeconfig file, or a list of them as in KUBECONFIG'
            cand -l 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --node-selector 'Only nodes whose labels match, such as karpenter.sh/nodepool=default'
            cand --list-mode 'How lists are asked for [default: auto]'
            cand --resources 'Resources with a bar and a total [default: cpu,memory]'
            cand --extra-labels 'Node labels shown as further columns, separated by commas'
            cand --filter 'Filter to start with, such as "pool:spot cpu<50 status:draining"'
            cand --sort 'Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]'
            cand --node-sort 'Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc'
            cand --group-by 'Grouping to start with [default: none]'
            cand --disable-pricing 'Show no prices'
            cand --palette 'What the colour of a bar means [default: efficiency]'
            cand --style 'Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"'
            cand --color 'Whether and how deeply to colour [default: auto]'
            cand --theme 'Background the colours are chosen for [default: auto]'
            cand --ascii 'Draw with ASCII characters only'
            cand --events 'Show the event pane at the start [default: on]'
            cand --mouse 'Use the mouse; off leaves it to the terminal for selecting text [default: on]'
            cand --demo-nodes 'Play a simulated fleet of this many nodes'
            cand --seed 'Seed of the simulated fleet: the same seed plays the same fleet [default: 1]'
            cand --scenario 'Play a scenario file'
            cand --config 'Settings file to read'
            cand --log-file 'Write diagnosis to this file; nothing of it ever reaches the screen'
            cand --log-filter 'What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]'
            cand --demo 'Play a simulated fleet; needs no cluster'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'nodeglass;help'= {
            cand snapshot 'Print what the dashboard would show, once, and end'
            cand config 'Print the settings in effect as a settings file'
            cand completions 'Print the completions of a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'nodeglass;help;snapshot'= {
        }
        &'nodeglass;help;config'= {
        }
        &'nodeglass;help;completions'= {
        }
        &'nodeglass;help;man'= {
        }
        &'nodeglass;help;help'= {
        }
    ]
    $completions[$command]
}
