/** Two people in a call, in the colours of the page. Decoration only. */
export function Illustration() {
	return (
		<svg class="illustration" viewBox="0 0 520 480" aria-hidden="true" focusable="false">
			<defs>
				<clipPath id="pic-a">
					<rect x="30" y="40" width="330" height="250" rx="34" />
				</clipPath>
				<clipPath id="pic-b">
					<rect x="206" y="214" width="284" height="216" rx="34" />
				</clipPath>
			</defs>
			<g clip-path="url(#pic-a)">
				<rect x="30" y="40" width="330" height="250" class="il-a" />
				<circle cx="302" cy="96" r="74" class="il-sun" />
				<path d="M30 250c60-46 110-40 160-14s110 22 170-18v72H30z" class="il-hill" />
				<path d="M98 300c0-62 40-92 84-92s84 30 84 92z" class="il-coat" />
				<rect x="164" y="176" width="36" height="48" rx="18" class="il-skin" />
				<circle cx="182" cy="150" r="42" class="il-skin" />
				<path
					d="M138 152c-6-38 18-60 46-60 30 0 50 22 42 58-8-20-22-30-42-32-18 2-34 12-46 34z"
					class="il-hair"
				/>
			</g>
			<g>
				<rect x="198" y="206" width="300" height="232" rx="42" class="il-gap" />
				<g clip-path="url(#pic-b)">
					<rect x="206" y="214" width="284" height="216" class="il-b" />
					<circle cx="238" cy="404" r="86" class="il-round" />
					<path d="M268 440c0-56 36-82 80-82s80 26 80 82z" class="il-shirt" />
					<rect x="331" y="326" width="34" height="46" rx="17" class="il-skin2" />
					<circle cx="348" cy="304" r="39" class="il-skin2" />
					<path
						d="M308 318c-16-50 10-66 40-66s56 16 40 66c-2-22-12-34-24-38-18 8-36 6-44 2-6 8-10 20-12 36z"
						class="il-hair2"
					/>
				</g>
			</g>
			<g class="il-waves">
				<rect x="64" y="238" width="7" height="20" rx="3.5" />
				<rect x="78" y="228" width="7" height="40" rx="3.5" />
				<rect x="92" y="234" width="7" height="28" rx="3.5" />
			</g>
			<g>
				<path
					d="M392 92a22 22 0 0 1 22-22h56a22 22 0 0 1 22 22v28a22 22 0 0 1-22 22h-36l-26 22v-24a22 22 0 0 1-16-20z"
					class="il-bubble"
				/>
				<circle cx="424" cy="106" r="5.5" class="il-dot" />
				<circle cx="442" cy="106" r="5.5" class="il-dot" />
				<circle cx="460" cy="106" r="5.5" class="il-dot" />
			</g>
		</svg>
	);
}
