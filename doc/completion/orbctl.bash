# bash completion of orbctl(8)
_orbctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev= w words=()
	local i global="--config --output --no-color --help --version"

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
	--upstream)
		mapfile -t COMPREPLY < <(compgen -W "exchange topdesk" -- "$cur")
		return ;;
	--process)
		mapfile -t COMPREPLY < <(compgen -W "mapd keyd http \
		    http@exchange http@topdesk ledgerd" -- "$cur")
		return ;;
	--since|--until)
		mapfile -t COMPREPLY < <(compgen -W "now today yesterday -1h \
		    -1d -1w" -- "$cur")
		return ;;
	--config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		w=${COMP_WORDS[i]}
		case $w in
		--config|--output)
			[[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++))
			((i++)) ;;
		-*|=) ;;
		*) words+=("$w") ;;
		esac
	done
	case "${words[*]}" in
	"")
		w="status plan sync problems conflicts approve credential \
		    config audit" ;;
	status) w="--rooms" ;;
	sync) w="now" ;;
	conflicts) w="show" ;;
	config) w="check" ;;
	"config check")
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	audit) w="tail account prove export checkpoints key" ;;
	"audit export")
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return ;;
	"audit tail"*)
		w="-n -f --lines --follow --since --until --room --event \
		    --booking --upstream --process --lease" ;;
	"audit account"*) w="exchange topdesk --since --until" ;;
	credential) w="set list remove" ;;
	"credential set")
		w="exchange topdesk exchange-secret exchange-key \
		    exchange-key-next exchange-password topdesk-password --expires --fd" ;;
	"credential set "*) w="--expires --fd" ;;
	"credential remove")
		w="exchange topdesk exchange-secret exchange-key \
		    exchange-key-next exchange-password topdesk-password" ;;
	*) w= ;;
	esac
	[[ $cur == -* ]] && w="$w $global"
	mapfile -t COMPREPLY < <(compgen -W "$w" -- "$cur")
}
complete -F _orbctl orbctl
