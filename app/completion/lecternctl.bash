# bash completion for lecternctl(1)

_lecternctl() {
  local commands='add list status remove search ask extract eval models cache engine'
  local engine_commands='info tokenize detokenize template generate embed rerank bench'
  local common='--library --json --progress --help'
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' sub='' options='' i
  COMPREPLY=()

  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --library) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=${COMP_WORDS[i]}
        elif [[ $command == engine && -z $sub ]]; then
          sub=${COMP_WORDS[i]}
        fi
        ;;
    esac
  done

  case $prev in
    --mode)
      mapfile -t COMPREPLY < <(compgen -W 'hybrid keyword semantic' -- "$cur")
      return
      ;;
    --thinking)
      mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$cur")
      return
      ;;
    --library)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      return
      ;;
    --in | --docs | --queries | --qrels | --run | --messages | --lora)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --model)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      [[ $command == ask && none == "$cur"* ]] && COMPREPLY+=(none)
      return
      ;;
    -n | -t | --max-tokens | --seed | --top | --temperature | --prompt | --prompt-tokens) return ;;
    --top-k | --top-p | --min-p | --typical | --*-penalty | --repeat-last-n | --stop) return ;;
    --grammar)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      [[ json == "$cur"* ]] && COMPREPLY+=(json)
      return
      ;;
    -p | -r | --depth | --date) return ;;
  esac

  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands $common --version" -- "$cur")
    return
  fi
  if [[ $command == engine && -z $sub ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$engine_commands" -- "$cur")
    return
  fi

  case "$command${sub:+ $sub}" in
    list) options='--problems' ;;
    status) options='--check' ;;
    search) options='-n --mode --in' ;;
    ask) options='--model --max-tokens --seed --no-speculation --in --no-cache' ;;
    cache) options='--clear' ;;
    add) options='--no-ocr' ;;
    extract) options='--text --no-ocr' ;;
    eval) options='--docs --queries --qrels --mode --run' ;;
    'engine info' | 'engine detokenize') options='--model' ;;
    'engine tokenize') options='--model --special' ;;
    'engine generate')
      options='--model --prompt --prompt-tokens -n --ignore-eos --temperature --seed --top-k --top-p --min-p --typical'
      options+=' --repeat-penalty --frequency-penalty --presence-penalty --repeat-last-n --stop --grammar --top --context --lora --exact'
      options+=' --no-speculation --kv --restore-state --save-state -t'
      ;;
    'engine template') options='--model --messages --thinking --date' ;;
    'engine embed') options='--model --dimensions -t' ;;
    'engine rerank') options='--model --query -t' ;;
    'engine bench') options='--model -p -n -t -r --depth' ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$cur")
    return
  fi
  case $command in
    add | remove | extract)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      ;;
  esac
}

complete -F _lecternctl lecternctl
