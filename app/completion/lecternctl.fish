# fish completion for lecternctl(1)

set -l commands add list status remove search ask extract eval models engine
set -l engine_commands info tokenize detokenize generate embed
set -l none "not __fish_seen_subcommand_from $commands"
set -l engine "__fish_seen_subcommand_from engine; and not __fish_seen_subcommand_from $engine_commands"

complete -c lecternctl -f
complete -c lecternctl -l library -x -a '(__fish_complete_directories)' -d 'The library folder'
complete -c lecternctl -l json -d 'Print one JSON value'
complete -c lecternctl -l progress -d 'Show progress'
complete -c lecternctl -s h -l help -d 'Explain the command'
complete -c lecternctl -n "$none" -l version -d 'Print the version'

complete -c lecternctl -n "$none" -a add -d 'Index files and folders'
complete -c lecternctl -n "$none" -a list -d 'List the documents with their status'
complete -c lecternctl -n "$none" -a status -d 'Show counts, sizes, models and health'
complete -c lecternctl -n "$none" -a remove -d 'Forget documents'
complete -c lecternctl -n "$none" -a search -d 'Find passages'
complete -c lecternctl -n "$none" -a ask -d 'Answer a question with citations'
complete -c lecternctl -n "$none" -a extract -d 'Show what indexing sees of a file'
complete -c lecternctl -n "$none" -a eval -d 'Measure search on a judged collection'
complete -c lecternctl -n "$none" -a models -d 'List the models found'
complete -c lecternctl -n "$none" -a engine -d 'A model file by itself'
complete -c lecternctl -n "$engine" -a info -d 'Show what a model file holds'
complete -c lecternctl -n "$engine" -a tokenize -d 'Turn text into token ids'
complete -c lecternctl -n "$engine" -a detokenize -d 'Turn token ids into text'
complete -c lecternctl -n "$engine" -a generate -d 'Generate text from a prompt'
complete -c lecternctl -n "$engine" -a embed -d 'Turn lines into vectors'

complete -c lecternctl -n '__fish_seen_subcommand_from add remove extract' -F
complete -c lecternctl -n '__fish_seen_subcommand_from search generate' -s n -x -d 'At most so many'
complete -c lecternctl -n '__fish_seen_subcommand_from search eval' -l mode -x -a 'hybrid keyword semantic' -d 'How to search'
complete -c lecternctl -n '__fish_seen_subcommand_from search ask' -l in -r -F -d 'Only in this file or folder'
complete -c lecternctl -n '__fish_seen_subcommand_from ask engine' -l model -r -F -d 'The GGUF file'
complete -c lecternctl -n '__fish_seen_subcommand_from ask' -l model -r -a none -d 'Answer by quoting'
complete -c lecternctl -n '__fish_seen_subcommand_from ask' -l max-tokens -x -d 'Longest answer'
complete -c lecternctl -n '__fish_seen_subcommand_from ask generate' -l seed -x -d 'Seed of the sampling'
complete -c lecternctl -n '__fish_seen_subcommand_from status' -l check -d 'Also compare the index with the texts'
complete -c lecternctl -n '__fish_seen_subcommand_from extract' -l text -d 'Only the main text'
complete -c lecternctl -n '__fish_seen_subcommand_from eval' -l docs -r -F -d 'Documents'
complete -c lecternctl -n '__fish_seen_subcommand_from eval' -l queries -r -F -d 'Queries'
complete -c lecternctl -n '__fish_seen_subcommand_from eval' -l qrels -r -F -d 'Judgements'
complete -c lecternctl -n '__fish_seen_subcommand_from eval' -l run -r -F -d 'Write the run'
complete -c lecternctl -n '__fish_seen_subcommand_from tokenize' -l special -d 'Add and read special tokens'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l prompt -x -d 'The prompt'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l prompt-tokens -x -d 'The prompt as token ids'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l ignore-eos -d 'Never end early'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l context -x -d 'Room for so many tokens'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l temperature -x -d '0 is greedy'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l top-k -x -d 'From so many of the likeliest'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l top-p -x -d 'From the likeliest up to this probability'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l min-p -x -d 'Least share of the likeliest'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l typical -x -d 'From the most typical'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l repeat-penalty -x -d 'Divide logits of repeats'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l frequency-penalty -x -d 'Per time seen'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l presence-penalty -x -d 'If seen'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l repeat-last-n -x -d 'How far penalties look back'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l stop -x -d 'End before this text'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l grammar -r -F -d 'Allow only what this grammar does'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l grammar -r -a json
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l top -x -d 'Best log-probabilities'
complete -c lecternctl -n '__fish_seen_subcommand_from generate' -l exact -d 'Use the reference arithmetic'
complete -c lecternctl -n '__fish_seen_subcommand_from generate embed' -s t -x -d 'Threads'
