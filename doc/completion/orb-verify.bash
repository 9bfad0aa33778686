# bash completion of orb-verify(1)
_orb_verify()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=

	COMPREPLY=()
	((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}
	# readline makes a word of the "=" in --output=json
	if [[ $cur == "=" ]]; then
		cur=
	elif [[ $prev == "=" ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $prev in
	--output)
		mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur")
		return ;;
	--key-file|--checkpoint|--proof)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--key|--since|--clock-step)
		return ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--key --key-file \
		    --checkpoint --since --clock-step --output --proof --help \
		    --version" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	fi
}
complete -F _orb_verify orb-verify
